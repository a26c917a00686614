import "../console/styles/tokens.css";
import "../console/styles/base.css";
import "../console/styles/controls.css";
import "../console/styles/panels.css";
import "../console/styles/forms.css";
import "../console/styles/overlays.css";
import "./page.css";
import { applyTheme, setTheme, type Theme, theme } from "../console/shell/theme";
import { BASE } from "../shared/client";
import { authorizeButton } from "./authorize";
import { h } from "./dom";
import { startPlace } from "./place";
import { startSamples } from "./samples";
import { startSearch } from "./search";
import { startForms } from "./send";

applyTheme();
const choice = h(
  "select",
  { className: "select", "aria-label": "Theme" },
  ...(["auto", "light", "dark"] satisfies Theme[]).map((each) =>
    h("option", { value: each }, each.charAt(0).toUpperCase() + each.slice(1)),
  ),
);
choice.value = theme();
choice.addEventListener("change", () => setTheme(choice.value as Theme));
document.getElementById("tools")!.append(choice, authorizeButton());
// Also where the page's own address has a slash at its end.
for (const each of document.querySelectorAll<HTMLAnchorElement>("header nav a"))
  each.href = new URL(each.getAttribute("href")!, BASE).href;
document.getElementById("needs-script")!.remove();
startSamples();
startForms();
startSearch();
startPlace();
// The forms have moved the text: go once more to where the address points.
document.getElementById(location.hash.slice(1))?.scrollIntoView();
