/** Fills that tell retrying (hatched) and held (dotted) without colour. SVG refers to them by id. */
export type Texture = "hatched" | "dotted";

export const fillOf = (tone: string, texture?: Texture) =>
  texture ? { fill: `url(#${texture})` } : { class: `f-${tone}` };

/** Once in a view that uses `fillOf` with a texture. */
export function Patterns() {
  return (
    <svg class="vh" aria-hidden="true">
      <defs>
        <pattern
          id="hatched"
          width="4"
          height="4"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect class="f-warn" width="4" height="4" />
          <path class="s-surface" d="M0 0v4" stroke-width="1.5" />
        </pattern>
        <pattern id="dotted" width="4" height="4" patternUnits="userSpaceOnUse">
          <rect class="f-held" width="4" height="4" />
          <circle class="f-surface" cx="2" cy="2" r=".9" />
        </pattern>
      </defs>
    </svg>
  );
}
