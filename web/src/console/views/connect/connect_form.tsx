/** The form of the connect page. A typed text stays until it worked. */
import { useEffect, useRef, useState } from "preact/hooks";
import { BASE } from "../../../shared/client";
import { Button, Countdown, FieldBlock, Input, Note, Segments } from "../../parts/ui";
import { forget, remember } from "../../state/kept_keys";
import { link, replace, useRoute } from "../../state/router";
import { connect } from "../../state/session";
import { later } from "../../state/waiting";
import { type MadePair, NewPair, OwnPair } from "./connect_keys";
import { type FieldName, type Problem, problemOf } from "./connect_problem";

const PASSPHRASE_LENGTH = 8;
export const NOTHING = { keyId: "", keySecret: "", license: "", tenant: "", community: "" };
type Fields = typeof NOTHING;

interface ConnectFormProps {
  start: Fields;
  problem?: Problem;
  onDone: () => void;
}

export function ConnectForm({ start, problem, onDone }: ConnectFormProps) {
  const isMaking = Boolean(useRoute().query.made);
  const [fields, setFields] = useState<Fields>(start);
  const [made, setMade] = useState<MadePair>();
  const [isKept, setKept] = useState(false);
  const [passphrase, setPassphrase] = useState("");
  const [problems, setProblems] = useState<Problem[]>(problem ? [problem] : []);
  const [isBusy, setBusy] = useState(false);
  const failures = useRef(0);
  const form = useRef<HTMLFormElement>(null);

  const set = (change: Partial<Fields>) => {
    setFields((before) => ({ ...before, ...change }));
    // A sentence about another content is wrong; one that is about no field goes with the next try.
    setProblems((before) => before.filter((each) => !each.field || !(each.field in change)));
  };
  // The first wrong field gets the focus, once it is marked and can be used again.
  const hasFailed = useRef(problems.length > 0);
  const fail = (next: Problem[]) => {
    hasFailed.current = true;
    setProblems(next);
  };
  useEffect(() => {
    if (!hasFailed.current || isBusy) return;
    hasFailed.current = false;
    form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  });
  const submit = async () => {
    const { license, tenant, community, ...own } = trimmed(fields);
    const pair = isMaking ? { keyId: made?.keyId ?? "", keySecret: made?.keySecret ?? "" } : own;
    const missing = unfilled({ ...pair, license, tenant, community }, isKept ? passphrase : undefined);
    if (missing.length) return fail(missing);
    setBusy(true);
    setProblems([]);
    const who = { ...pair, license };
    const scope = { tenant, community };
    try {
      await connect(who, scope, isKept ? () => remember(passphrase, { who, scope }) : forget);
      onDone();
    } catch (failure) {
      failures.current += 1;
      fail([problemOf(failure, failures.current)]);
    } finally {
      setBusy(false);
    }
  };
  const latest = useRef(submit);
  latest.current = submit;
  const retryAt = problems.find((each) => each.retryAt)?.retryAt;
  useEffect(() => (retryAt ? later(retryAt, () => latest.current()) : undefined), [retryAt]);

  const sentence = (name: FieldName) => {
    const found = problems.find((each) => each.field === name);
    return found && [found.message, found.hint].filter(Boolean).join(". ").replace(/\.\. /, ". ");
  };
  const field = (name: "license" | "tenant" | "community", label: string, look = "") => (
    <FieldBlock id={name} label={label} error={sentence(name)}>
      <Input
        id={name}
        look={look}
        value={fields[name]}
        error={sentence(name)}
        onValue={(value) => set({ [name]: value })}
      />
    </FieldBlock>
  );
  return (
    <form
      ref={form}
      class="card"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) submit();
      }}
    >
      <div class="body">
        {problems
          .filter((each) => !each.field)
          .map((each) => (
            <Note key={each.message} tone="bad" icon="tri">
              {each.status && <b>{each.status}. </b>}
              {each.message} {each.hint}
              {each.retryAt && (
                <>
                  {" "}
                  The page tries again by itself in <Countdown until={each.retryAt} />.
                </>
              )}
              {each.requestId && <span class="meta"> Request {each.requestId}</span>}
            </Note>
          ))}
        <div class="row">
          <Segments
            label="Key pair"
            options={[
              ["have", "I have a key pair"],
              ["make", "Make a key pair"],
            ]}
            value={isMaking ? "make" : "have"}
            onChange={(value) => replace(link({ made: value === "make" ? "1" : "" }))}
          />
        </div>
        {isMaking ? (
          <NewPair pair={made} onPair={setMade} />
        ) : (
          <OwnPair
            pair={fields}
            errors={{ keyId: sentence("keyId"), keySecret: sentence("keySecret") }}
            onPair={set}
          />
        )}
        {field("license", "License", "mono")}
        <div class="g2">
          {field("tenant", "Tenant")}
          {field("community", "Community")}
        </div>
        <label class="check">
          <input type="checkbox" checked={isKept} onChange={() => setKept(!isKept)} />
          <span>
            Remember in this tab, encrypted with a passphrase
            <br />
            <span class="hint">
              Session storage only. Closing the tab forgets it. Without this, a reload asks again.
            </span>
          </span>
        </label>
        {isKept && (
          <FieldBlock id="passphrase" label="Passphrase" error={sentence("passphrase")}>
            <Input
              id="passphrase"
              type="password"
              value={passphrase}
              error={sentence("passphrase")}
              onValue={(value) => {
                setPassphrase(value);
                setProblems((before) => before.filter((each) => each.field !== "passphrase"));
              }}
            />
          </FieldBlock>
        )}
        <div class="row">
          <Button type="submit" look="primary" icon="lock" busy={isBusy && "Connecting"}>
            Connect
          </Button>
          <a href={new URL("docs", BASE).href} class="push meta">
            Read the API page
          </a>
        </div>
      </div>
    </form>
  );
}

const trimmed = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.trim()])) as Fields;

const NAMES: [keyof Fields, string][] = [
  ["keyId", "the public key"],
  ["keySecret", "the private key"],
  ["license", "the license"],
  ["tenant", "the tenant"],
  ["community", "the community"],
];

/** Return the missing fields; `passphrase` where the keys are to be remembered. */
function unfilled(fields: Fields, passphrase?: string): Problem[] {
  const missing: Problem[] = NAMES.filter(([name]) => !fields[name]).map(([field, named]) => ({
    field,
    message: `Enter ${named}.`,
  }));
  if (passphrase !== undefined && passphrase.length < PASSPHRASE_LENGTH)
    missing.push({
      field: "passphrase",
      message: `Enter a passphrase of at least ${PASSPHRASE_LENGTH} characters.`,
    });
  return missing;
}
