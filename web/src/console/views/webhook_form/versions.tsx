/** The fields that another request changed meanwhile, beside those of the form. */
import { Dialog } from "../../parts/dialog";
import { Button } from "../../parts/ui";
import { labelOf } from "./field_errors";
import { differences, parts, read, type Values } from "./model";

export function Versions(props: {
  stored: string;
  theirs: string;
  values: Values;
  onTake: () => void;
  onClose: () => void;
}) {
  const before = read(props.stored);
  const theirs = read(props.theirs);
  const [own, other] = [parts(props.values), parts(theirs)];
  return (
    <Dialog
      title="Their version"
      onClose={props.onClose}
      footer={
        <>
          <Button look="danger" onClick={props.onTake}>
            Discard mine and take theirs
          </Button>
          <Button look="primary" onClick={props.onClose}>
            Back to the form
          </Button>
        </>
      }
    >
      <p class="ink2">
        These fields changed since the form was opened. Save mine keeps each that you did not change.
      </p>
      <table class="tbl dense versions">
        <thead>
          <tr>
            <th>Field</th>
            <th>Theirs</th>
            <th>In the form</th>
          </tr>
        </thead>
        <tbody>
          {differences(before, theirs).map((path) => (
            <tr key={path}>
              <td>{labelOf(path)}</td>
              <td class="mono">{other.get(path)}</td>
              <td class="mono">{own.get(path)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
