// What waits now, while the page of figures is open. The figures themselves stay as they were asked for.

import { LivePage, fetchDocument, replaceKeepingFocus } from "./live.js";

const root = document.querySelector("[data-live]");

async function fetchWaiting() {
  const page = await fetchDocument(root.dataset.liveWaiting);
  const fresh = page.getElementById("waiting");
  replaceKeepingFocus(document.getElementById("waiting"), fresh);
  return Number(fresh.dataset.cursor);
}

const page = new LivePage(root, {
  fetchAgain: fetchWaiting,
  placed(frame) {
    if (frame.type !== "resync") page.resync();
  },
});
