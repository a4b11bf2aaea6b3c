// One of a browser's tabs listens to the queue for all of them: one socket however many are open, and one that rings.
//
// A lock of the browser says which; when that tab goes, the next one gets it. Without such locks (plain http) each tab
// listens by itself.

import { Connection } from "./connection.js";

const QUEUE = "/ws/queue/";

/** The page's words and its sign-in are the business of the page's own socket. */
class Unseen extends Connection {
  say(state) {
    this.state = state;
  }

  signIn() {
    this.stop("signed-out");
  }
}

export class Ears {
  /** `hear(frame)` in the tab that listens, `isTold(state)` in the others; `poll()` where sockets do not get through. */
  constructor(person, { hear, poll, isTold }) {
    this.name = `bell-${person}`;
    this.hear = hear;
    this.poll = poll;
    this.leads = false;
    this.channel = new BroadcastChannel(this.name);
    this.channel.addEventListener("message", ({ data }) => isTold(data));
  }

  tell(state) {
    this.channel.postMessage(state);
  }

  /** Listen for all tabs, if none does yet. */
  claim() {
    if (!navigator.locks) return void (this.leads = true);
    return new Promise((decided) => {
      navigator.locks.request(this.name, { ifAvailable: true }, (lock) => {
        this.leads = Boolean(lock);
        decided();
        return lock && untilTheEnd();
      });
    });
  }

  /** Begin, at once or when the tab that listens is gone. */
  async listen() {
    const isLate = !this.leads;
    if (isLate) await new Promise((got) => navigator.locks.request(this.name, () => (got(), untilTheEnd())));
    this.leads = true;
    if (document.querySelector(`[data-live="${QUEUE}"]`)) {
      document.addEventListener("queue-frame", ({ detail }) => this.hear(detail));
      document.addEventListener("connection", ({ detail }) => detail === "live" && this.hear({ type: "connected" }));
      if (isLate) this.poll(); // what came while nobody listened
      else if (document.querySelector("[data-connection=live]")) this.hear({ type: "connected" });
    } else new Unseen(QUEUE, { onFrame: (frame) => this.hear(frame), poll: this.poll }).connect();
  }
}

const untilTheEnd = () => new Promise(() => {}); // of the page: then the browser gives its locks to others
