/** A webhook's filter in words. Its numbers are as the API wrote them. */
import { type Json, writeJson } from "../../text/json_text";

export function FilterWords({ query, criteria }: { query: Json | undefined; criteria?: string | null }) {
  const objects = Array.isArray(query) ? query.filter((each) => each instanceof Map) : [];
  if (!objects.length) return <>none: every event of these names</>;
  if (objects.length === 1) return <Conditions object={objects[0]!} />;
  return (
    <div class="stack">
      {criteria === "ALL" ? "all of these hold:" : "one of these holds:"}
      <ul class="bullets">
        {objects.map((object, index) => (
          <li key={index}>
            <Conditions object={object} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Conditions({ object }: { object: Map<string, Json> }) {
  if (!object.size) return <>every event</>;
  return (
    <>
      {[...object].map(([field, wanted], index) => (
        <span key={field}>
          {index > 0 && " and "}
          {field} is <code>{writeJson(wanted)}</code>
        </span>
      ))}
    </>
  );
}
