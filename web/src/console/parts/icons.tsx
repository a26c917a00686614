/** Icons of 16 by 16 pixels. */

import type { JSX } from "preact";

const PATHS = {
  ok: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="m5.4 8.2 1.8 1.8 3.4-3.8" />
    </>
  ),
  tri: (
    <>
      <path d="M8 2.3 14.2 13H1.8zM8 6.5v3M8 11.3v.2" />
    </>
  ),
  pause: (
    <>
      <path d="M5.5 3.5v9M10.5 3.5v9" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 4.8v3.4l2.2 1.4" />
    </>
  ),
  off: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="m3.8 12.2 8.4-8.4" />
    </>
  ),
  retry: (
    <>
      <path d="M13 8a5 5 0 1 1-1.5-3.5M13 2.3v3h-3" />
    </>
  ),
  dead: (
    <>
      <path d="M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM6 6l4 4M10 6l-4 4" />
    </>
  ),
  skip: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M5 8h6" />
    </>
  ),
  x: (
    <>
      <path d="m4 4 8 8M12 4l-8 8" />
    </>
  ),
  check: (
    <>
      <path d="m3.5 8.5 3 3 6-7" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.5" />
      <path d="m10.5 10.5 3 3" />
    </>
  ),
  plus: (
    <>
      <path d="M8 3v10M3 8h10" />
    </>
  ),
  copy: (
    <>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" />
    </>
  ),
  hooks: (
    <>
      <path d="M2 4h12M2 8h12M2 12h7" />
    </>
  ),
  flow: (
    <>
      <path d="M2 8h8M7 4.5 10.5 8 7 11.5M13.5 3v10" />
    </>
  ),
  help: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M6.3 6.3a1.8 1.8 0 1 1 2.4 1.9c-.5.2-.7.5-.7 1M8 11.2v.2" />
    </>
  ),
  book: (
    <>
      <path d="M3 2.5h8.5A1.5 1.5 0 0 1 13 4v9.5H4.5A1.5 1.5 0 0 1 3 12zM3 12a1.5 1.5 0 0 1 1.5-1.5H13" />
    </>
  ),
  users: (
    <>
      <circle cx="6" cy="5.5" r="2.5" />
      <path d="M1.8 13c.3-2.4 2-3.8 4.2-3.8s3.9 1.4 4.2 3.8M11 3.3a2.3 2.3 0 0 1 0 4.4M12 9.5c1.3.5 2.1 1.7 2.3 3.5" />
    </>
  ),
  key: (
    <>
      <circle cx="5.5" cy="10.5" r="3" />
      <path d="m7.7 8.3 5.3-5.3M10.5 5.5l2 2" />
    </>
  ),
  sun: (
    <>
      <circle cx="8" cy="8" r="3" />
      <path d="M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9" />
    </>
  ),
  menu: (
    <>
      <path d="M2 4.5h12M2 8h12M2 11.5h12" />
    </>
  ),
  down: (
    <>
      <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />
    </>
  ),
  up: (
    <>
      <path d="m4.5 9.5 3.5-3.5 3.5 3.5" />
    </>
  ),
  left: (
    <>
      <path d="M9.5 4 6 8l3.5 4" />
    </>
  ),
  right: (
    <>
      <path d="M6.5 4 10 8l-3.5 4" />
    </>
  ),
  send: (
    <>
      <path d="m2 8 12-5.5L10 14 7.8 9z" />
    </>
  ),
  lock: (
    <>
      <rect x="3" y="7" width="10" height="6.5" rx="1.5" />
      <path d="M5 7V5a3 3 0 0 1 6 0v2" />
    </>
  ),
  play: (
    <>
      <path d="M4.5 3v10l8-5z" />
    </>
  ),
  wifi: (
    <>
      <path d="M2 2l12 12M1.8 6.3a9 9 0 0 1 3-1.8M8 3.5c2.4 0 4.6 1 6.2 2.8M4.2 8.8a5.4 5.4 0 0 1 2.3-1.3M10.3 7.8c.6.3 1.1.6 1.5 1M8 12v.2" />
    </>
  ),
  grid: (
    <>
      <rect x="2" y="2" width="5" height="5" rx="1" />
      <rect x="9" y="2" width="5" height="5" rx="1" />
      <rect x="2" y="9" width="5" height="5" rx="1" />
      <rect x="9" y="9" width="5" height="5" rx="1" />
    </>
  ),
  filter: (
    <>
      <path d="M2 3.5h12M4.5 8h7M6.5 12.5h3" />
    </>
  ),
  trash: (
    <>
      <path d="M2.5 4h11M6 4V2.5h4V4M4 4l.6 9.5h6.8L12 4" />
    </>
  ),
  wait: (
    <>
      <path d="M8 2a6 6 0 1 0 6 6" />
    </>
  ),
} satisfies Record<string, JSX.Element>;

export type IconName = keyof typeof PATHS;

export function Icon({ name, className = "" }: { name: IconName; className?: string }) {
  return (
    <svg class={`i ${className}`} viewBox="0 0 16 16" aria-hidden="true">
      {PATHS[name]}
    </svg>
  );
}
