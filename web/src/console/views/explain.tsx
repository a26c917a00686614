import type { ViewProps } from "../app";
import { Head } from "../parts/ui";

export function Explain(_: ViewProps) {
  return <Head title="Explain" />;
}
