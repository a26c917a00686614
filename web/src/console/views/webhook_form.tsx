import type { ViewProps } from "../app";
import { Head } from "../parts/ui";

export function WebhookForm(_: ViewProps) {
  return <Head title="Create webhook" />;
}
