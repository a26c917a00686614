/** When an attempt counts as delivered, which ones are tried again, and how fast. */
import { FieldRow, Input, Segments } from "../../parts/ui";
import { type Form, TokenRow } from "./fields";

export function RetrySection({ form }: { form: Form }) {
  const { values, set, errors } = form;
  const small = (id: string, name: "ttl" | "rateLimit", placeholder: string, text: string) => (
    <div class="row">
      <Input
        id={id}
        value={values[name]}
        onValue={(value) => set({ [name]: value })}
        error={errors(id)}
        look="w-s num"
        placeholder={placeholder}
        inputMode="numeric"
        describedBy={`${id}-unit`}
      />
      <span class="meta" id={`${id}-unit`}>
        {text}
      </span>
    </div>
  );
  return (
    <section>
      <header>
        <h2>Success, retries and rate</h2>
      </header>
      <TokenRow
        form={form}
        id="success-codes"
        label="Success codes"
        apiField="successCodes"
        name="successCodes"
        placeholder="Add a code"
        hint="A delivery succeeds with any of these, 1 to 50 codes from 100 to 599."
      />
      <TokenRow
        form={form}
        id="retry-codes"
        label="Retry codes"
        apiField="retryCodes"
        name="retryCodes"
        placeholder="Default: 0, 408, 425, 429, 5xx but 501 and 505"
        hint="0 stands for no answer: DNS, connection, TLS, reset or time."
      />
      <FieldRow id="retry-count" label="Retries" apiField="retryCount" error={errors("retry-count")} group>
        <Segments
          label="Retries"
          options={[
            ["0", "None"],
            ["1", "1"],
            ["2", "2"],
          ]}
          value={values.retryCount}
          onChange={(retryCount) => set({ retryCount })}
        />
        <p class="hint">
          After 30 s and another 300 s, unless the deployment chose others. Retry-After is followed for up to
          15 minutes.
        </p>
      </FieldRow>
      <FieldRow id="recover" label="Recovery" apiField="recover" error={errors("recover")} group>
        <Segments
          label="Recovery"
          options={[
            ["", "Default"],
            ["true", "Yes"],
            ["false", "No"],
          ]}
          value={values.recover}
          onChange={(recover) => set({ recover })}
        />
        <p class="hint">
          Whether deliveries whose attempts were exhausted are sent once more when the endpoint responds
          again. Default: the deployment decides.
        </p>
      </FieldRow>
      <FieldRow id="ttl" label="Time to answer" apiField="ttl" error={errors("ttl")}>
        {small("ttl", "ttl", "0", "seconds, 0 to 5. 0 is the deployment's default, mostly 5.")}
      </FieldRow>
      <FieldRow id="rate-limit" label="Rate limit" apiField="rateLimit" error={errors("rate-limit")}>
        {small("rate-limit", "rateLimit", "none", "deliveries per second, 1 to 1,000")}
      </FieldRow>
    </section>
  );
}
