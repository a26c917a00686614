/** Colours for a canvas: the page's custom properties as they are now, in the theme that is on. */
import { useEffect } from "preact/hooks";
import type { Texture } from "./patterns";

const TILE = 4;

/** Return the colour of a custom property. `probe`: an element that is not seen. */
export function colourOf(probe: HTMLElement, name: string): string {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

/** Return a fill of a colour, hatched or dotted as `Patterns` are. */
export function textured(texture: Texture, colour: string, surface: string): CanvasPattern | string {
  const ratio = devicePixelRatio || 1;
  const size = Math.round(TILE * ratio);
  const tile = document.createElement("canvas");
  tile.width = size;
  tile.height = size;
  const brush = tile.getContext("2d");
  if (!brush) return colour;
  brush.fillStyle = colour;
  brush.fillRect(0, 0, size, size);
  brush.fillStyle = surface;
  brush.strokeStyle = surface;
  if (texture === "dotted") {
    brush.beginPath();
    brush.arc(size / 2, size / 2, 0.9 * ratio, 0, 2 * Math.PI);
    brush.fill();
  } else {
    brush.lineWidth = 1.1 * ratio;
    brush.beginPath();
    // One diagonal, and its corners in the tiles beside it.
    for (const shift of [-size, 0, size]) {
      brush.moveTo(shift - 1, size + 1);
      brush.lineTo(shift + size + 1, -1);
    }
    brush.stroke();
  }
  return brush.createPattern(tile, "repeat") ?? colour;
}

/** Call when the colours are others. */
export function useThemeChange(changed: () => void): void {
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    addEventListener("themechange", changed);
    system.addEventListener("change", changed);
    return () => {
      removeEventListener("themechange", changed);
      system.removeEventListener("change", changed);
    };
  }, [changed]);
}
