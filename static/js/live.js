// The third step of a live event: the page applies it.
//
// The page holds a cursor. A frame counts if its cursor is the page's plus one; older ones are dropped, and on a gap
// the page fetches what it shows. Fragments are placed by their id, so twice the same frame changes nothing.

import "./away.js";
import { Connection } from "./connection.js";
import { refresh } from "./clock.js";
import { isWaiting, looked, showLookers } from "./looking.js";

const PATIENCE = 1000; // a heartbeat may overtake the frame that it counts
const RETRY = 2000;
const KEPT = ["data-arriving", "data-held", "style"]; // how it stands here, which the server knows nothing of
const ARRIVAL = 800;
const LONGEST_FETCH = 8000; // an answer that never comes must not hold up the frames behind it

export class LivePage {
  /**
   * `fetchAgain()` brings what is shown up to date and resolves to its cursor; `placed` hears of each frame, `came` of
   * each fragment that is new on the page, and `leave` takes one away.
   */
  constructor(root, { fetchAgain, placed = () => {}, came = () => {}, leave = (shown) => shown.remove() }) {
    this.root = root;
    this.cursor = Number(root.dataset.liveCursor);
    this.fetchAgain = fetchAgain;
    this.placed = (frame) => {
      placed(frame);
      showLookers();
    };
    this.came = came;
    this.leave = leave;
    this.waiting = [];
    this.connection = new Connection(root.dataset.live, {
      onFrame: (frame) => this.receive(frame),
      poll: () => this.resync(),
    });
    document.addEventListener("deadline", () => this.resync());
    document.addEventListener("htmx:beforeSwap", (event) => this.skipWhatIsThere(event));
    this.connection.connect();
  }

  receive(frame) {
    if (frame.type === "ready") this.compare(frame.cursor, 0);
    else if (frame.type === "heartbeat") this.compare(frame.cursor, PATIENCE);
    else if (frame.type === "unavailable") return;
    else if (frame.type === "offers_changed") this.placed(frame);
    else if (frame.type === "looking") looked(frame);
    else if (frame.type === "still_looking") isWaiting() && this.connection.answer("looking");
    else if (frame.type === "message_delta") this.draft(frame);
    else if (frame.cursor === undefined) this.apply(frame);
    else if (this.resyncing) this.waiting.push(frame);
    else this.take(frame);
  }

  take(frame) {
    if (frame.cursor <= this.cursor) return;
    if (frame.cursor > this.cursor + 1) return this.resync();
    this.cursor = frame.cursor;
    this.apply(frame);
  }

  /** `ready` and heartbeats say where the feed is; a page that is elsewhere fetches once. */
  compare(cursor, patience) {
    if (cursor === this.cursor) return;
    const wentBack = cursor < this.cursor; // a restored backup
    clearTimeout(this.doubt);
    this.doubt = setTimeout(() => {
      if (cursor <= this.cursor && !wentBack) return; // the frames came meanwhile
      this.resync();
      if (patience && !wentBack) this.connection.drop(); // this socket loses frames: do not trust it
    }, patience);
  }

  apply(frame) {
    if (frame.html) this.place(frame.html, frame.type);
    else if (frame.handoff) this.remove(frame.handoff);
    else this.resync();
    this.placed(frame);
  }

  remove(handoff) {
    const shown = document.getElementById(`handoff-${handoff}`);
    if (shown) this.leave(shown);
  }

  /** An answer so far: all of it, in place of what was there. Once the message itself is there, that stays. */
  draft(frame) {
    const shown = document.getElementById(`message-${frame.message}`);
    if (shown && !("draft" in shown.dataset)) return;
    this.place(frame.html, frame.type);
    this.placed(frame);
  }

  place(html, type) {
    const fragment = parse(html);
    let shown = document.getElementById(fragment.id);
    if (shown && "draft" in shown.dataset && type !== "message_delta") {
      shown.remove(); // the message takes its place at the end, as it has in the conversation
      shown = null;
    }
    const ahead = document.querySelector(`[data-live-prepend~="${type}"]`);
    const behind = document.querySelector(`[data-live-append~="${type}"]`);
    // A card that was put back before its pick-up was announced never left, but stands on top like any arrival.
    const toTop = () => ahead && shown !== ahead.firstElementChild && ahead.prepend(shown);
    if (shown) replaceKeepingFocus(shown, fragment, toTop);
    else if (ahead) this.arrive(fragment, () => ahead.prepend(fragment));
    else if (behind) this.arrive(fragment, () => behind.append(fragment));
    if (document.querySelector(`[data-live-refetch~="${type}"]`)) this.resync();
  }

  arrive(fragment, insert) {
    fragment.dataset.arriving = "";
    setTimeout(() => delete fragment.dataset.arriving, ARRIVAL);
    this.came(fragment);
    insert();
    process(fragment);
  }

  /** Fetch what the page shows; frames that come meanwhile are applied afterwards. Resolves to whether it worked. */
  async resync() {
    if (this.resyncing) return (this.again = true);
    this.resyncing = true;
    clearTimeout(this.retry);
    let failed = false;
    try {
      this.cursor = await this.fetchAgain();
      refresh();
      this.placed({ type: "resync" });
      this.connection.sayAgain();
    } catch (error) {
      if (error instanceof SignedOut) return void this.connection.signIn();
      failed = true;
    } finally {
      this.resyncing = false;
    }
    const frames = this.waiting.splice(0);
    if (failed) {
      this.retry = setTimeout(() => this.resync(), RETRY);
      return false;
    }
    for (const frame of frames) this.receive(frame);
    if (this.again) {
      this.again = false;
      this.resync();
    }
    return true;
  }

  /** HTMX brings the answer to one's own message, and so does the socket: whoever is first places it. */
  skipWhatIsThere(event) {
    const { serverResponse, target, xhr } = event.detail;
    if (xhr.status !== 200 || !target?.matches("[data-live-append]")) return;
    const id = parse(serverResponse)?.id;
    if (id && document.getElementById(id)) event.detail.shouldSwap = false;
  }
}

export class SignedOut extends Error {}

/** The page or fragment at `address`, as a document. Throws SignedOut when the answer is the login page. */
export async function fetchDocument(address) {
  const signal = AbortSignal.timeout(LONGEST_FETCH);
  const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" }, cache: "no-store", signal });
  if (answer.redirected && new URL(answer.url).pathname === "/login/") throw new SignedOut();
  if (!answer.ok) throw new Error(`${answer.status} from ${address}`);
  const html = await answer.text();
  // Without its head: its styles would be held against this page's content policy.
  return new DOMParser().parseFromString(html.slice(Math.max(0, html.indexOf("<body"))), "text/html");
}

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

/**
 * Make `shown` what `fragment` is. The element itself stays, with its arrival if that is under way; a focus inside goes
 * to the same control of the new content.
 */
export function replaceKeepingFocus(shown, fragment, move = () => {}) {
  const focused = shown.contains(document.activeElement) ? document.activeElement : undefined;
  move();
  for (const { name } of [...shown.attributes]) {
    if (!KEPT.includes(name) && !fragment.hasAttribute(name)) shown.removeAttribute(name);
  }
  for (const { name, value } of fragment.attributes) shown.setAttribute(name, value);
  shown.replaceChildren(...fragment.childNodes);
  process(shown);
  if (focused && focused !== shown) sameControl(shown, focused)?.focus({ preventScroll: true });
}

function sameControl(fragment, control) {
  for (const name of ["id", "formaction", "href", "value"]) {
    const value = control.getAttribute(name);
    const found = value && fragment.querySelector(`[${name}="${CSS.escape(value)}"]`);
    if (found) return found;
  }
  return fragment.querySelector("button, a");
}

/** Let HTMX and the clock know a fragment that they have not seen. */
export function process(fragment) {
  window.htmx.process(fragment);
  refresh(fragment);
}
