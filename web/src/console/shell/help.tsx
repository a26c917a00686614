import { Dialog } from "../parts/dialog";
import { Button } from "../parts/ui";

const KEYS = [
  ["/", "Search"],
  ["j, k", "Next, previous row or delivery"],
  ["Enter", "Open"],
  ["Esc", "Close"],
  ["c", "Create webhook"],
  ["g w, g d, g e", "Go to webhooks, deliveries, explain"],
  ["?", "This list"],
];

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog
      title="Keyboard"
      onClose={onClose}
      footer={
        <Button look="primary" onClick={onClose}>
          Close
        </Button>
      }
    >
      <dl class="kv">
        {KEYS.map(([key, text]) => (
          <>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </>
        ))}
      </dl>
    </Dialog>
  );
}
