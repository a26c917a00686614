import type { ViewProps } from "../app";
import { Head } from "../parts/ui";

export function System(_: ViewProps) {
  return <Head title="System" />;
}
