import type { ViewProps } from "../app";
import { Head } from "../parts/ui";

export function Events(_: ViewProps) {
  return <Head title="Event catalogue" />;
}
