/** The console: starts with the page. */
import { render } from "preact";
import { App } from "./app";
import { installFailures } from "./shell/failures";
import { installKeyboard } from "./shell/keyboard";
import { applyTheme } from "./shell/theme";
import { installTooltips } from "./shell/tooltip";
import { openReadyLink, watchReadyLinks } from "./state/ready_link";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/controls.css";
import "./styles/tables.css";
import "./styles/panels.css";
import "./styles/charts.css";
import "./styles/waterfall.css";
import "./styles/deliveries.css";
import "./styles/overlays.css";
import "./styles/forms.css";
import "./styles/states.css";
import "./styles/responsive.css";

applyTheme();
installTooltips();
installKeyboard();
installFailures();
openReadyLink().finally(() => {
  watchReadyLinks();
  render(<App />, document.getElementById("app")!);
});
