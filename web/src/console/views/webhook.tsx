import type { ViewProps } from "../app";
import { Head } from "../parts/ui";

export function WebhookView(_: ViewProps) {
  return <Head title="Webhook" />;
}
