// While the database does not answer, what would change something rests, and a press says why. Nothing that was typed
// is touched, the focus stays where it is, and the first frame that comes again gives the buttons back.

import { tell } from "./notice.js";

const WHY = "The database does not answer at the moment. Nothing was sent; what you typed is still here.";
const CHANGES = "#main form[method=post] button:not([type=button]), #main button[hx-post]";

let away = false;

document.addEventListener("connection", ({ detail }) => {
  away = detail === "unavailable";
  for (const button of document.querySelectorAll(CHANGES)) {
    if (away) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
});

// On the way down, so that neither HTMX nor the browser gets it.
document.addEventListener("click", (event) => event.target.closest(CHANGES) && refuse(event), true);
document.addEventListener("submit", (event) => event.target.method === "post" && refuse(event), true);

function refuse(event) {
  if (!away) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  tell(WHY);
}
