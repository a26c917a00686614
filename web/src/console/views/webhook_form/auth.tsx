/** How callbacks authenticate. A credential that the service keeps is never shown, and stays unless one is typed. */
import { FieldRow, Input, Segments } from "../../parts/ui";
import { type Form, TokenRow } from "./fields";
import { type AuthType, SECRETS, type Secret } from "./model";

const TYPES: readonly (readonly [AuthType, string])[] = [
  ["none", "None"],
  ["basic", "Basic"],
  ["bearer", "Bearer"],
  ["api_key", "API key"],
  ["oauth2", "OAuth 2"],
];
const LABELS: Record<Secret, string> = {
  username: "User name",
  password: "Password",
  token: "Token",
  keyName: "Header name",
  keyValue: "Header value",
  "oauth2.clientId": "Client id",
  "oauth2.clientSecret": "Client secret",
};
/** These are no secrets while they are typed. */
const PLAIN: readonly Secret[] = ["username", "keyName", "oauth2.clientId"];
const KEPT = "Kept. Type to replace it.";

/** `stored`: how the stored webhook authenticates; its credential is kept while the choice stays. */
export function AuthRows({ form, stored }: { form: Form; stored?: AuthType }) {
  const { values, set, errors } = form;
  const { authType, credential } = values;
  const names = SECRETS[authType];
  const isKept = stored === authType;
  const isTyped = names.some((name) => credential[name]);
  return (
    <>
      <FieldRow id="auth" label="Authentication" apiField="api.authType" error={errors("auth")} group>
        <Segments
          label="Authentication"
          options={TYPES}
          value={authType}
          onChange={(chosen) => set({ authType: chosen })}
        />
      </FieldRow>
      {authType === "oauth2" && (
        <>
          <FieldRow id="token-url" label="Token URL" apiField="api.oAuthTokenUrl" error={errors("token-url")}>
            <Input
              id="token-url"
              value={values.tokenUrl}
              onValue={(tokenUrl) => set({ tokenUrl })}
              error={errors("token-url")}
              look="mono"
              placeholder="https://"
            />
          </FieldRow>
          <TokenRow
            form={form}
            id="scopes"
            label="Scopes"
            apiField="api.oAuthScopes"
            name="scopes"
            placeholder="Add a scope"
          />
        </>
      )}
      {names.map((name, at) => (
        <FieldRow
          key={name}
          id={name}
          label={LABELS[name]}
          apiField={name.includes(".") ? name : `credential.${name}`}
          error={errors(name)}
          hint={at === names.length - 1 ? hint(authType, isKept && isTyped && names.length > 1) : undefined}
        >
          <Input
            id={name}
            type={PLAIN.includes(name) ? "text" : "password"}
            value={credential[name] ?? ""}
            onValue={(value) => set({ credential: { ...credential, [name]: value } })}
            error={errors(name)}
            describedBy={at === names.length - 1 ? `${name}-hint` : undefined}
            look={PLAIN.includes(name) ? "mono" : ""}
            placeholder={isKept && !isTyped ? KEPT : ""}
          />
        </FieldRow>
      ))}
    </>
  );
}

function hint(authType: AuthType, areReplaced: boolean): string {
  if (areReplaced) return "Both are replaced together: give the other one too.";
  if (authType === "oauth2")
    return "Grant type: client_credentials. The token is reused until shortly before it expires.";
  return "Stored encrypted. Never shown again to tenants.";
}
