import type { ViewProps } from "../app";
import { Head } from "../parts/ui";

export function Deliveries(_: ViewProps) {
  return <Head title="Deliveries" />;
}
