export function Brand() {
  return (
    <div class="brand">
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path
          d="M2.5 13V8M6.5 13V5M10.5 13V2.5M14.5 13V6"
          fill="none"
          stroke="currentColor"
          stroke-width="2"
        />
        <path d="M18 14v4" class="s-bad" stroke-width="2" />
        <path d="M1 14h16" stroke="currentColor" opacity=".4" />
      </svg>
      Webhooks
    </div>
  );
}
