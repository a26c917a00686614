/** In place of a webhook during its first load, where that takes more than 150 ms: cards of its size. */
import { useEffect, useState } from "preact/hooks";

const PATIENCE_MS = 150;
const LINES = ["w3", "w2", "w3 h", "w1", "w2"];

export function WebhookSkeleton() {
  const [isShown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => show(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!isShown) return null;
  const card = (
    <div class="card">
      <div class="waiting body stack">
        {LINES.map((each, index) => (
          <span key={index} class={`sk ${each}`} />
        ))}
      </div>
    </div>
  );
  return (
    <div class="stack l" role="status" aria-label="Loading the webhook">
      {card}
      <div class="g2">
        {card}
        {card}
      </div>
    </div>
  );
}
