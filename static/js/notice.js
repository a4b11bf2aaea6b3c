// What went wrong with a press of a button, in words, where the eye and the screen reader are.

const place = () => document.getElementById("notice");

export function tell(text) {
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.setAttribute("role", "alert");
  notice.textContent = text;
  place().replaceChildren(notice);
}

document.addEventListener("htmx:sendError", () =>
  tell("The server cannot be reached. Nothing was sent; what you typed is still here. Try again in a moment."),
);
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 404) tell("It is not there any more. Reload the page to see what is.");
  else if (status >= 500) tell("Something went wrong on the server. What you typed is still here. Try again in a moment.");
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== place()) return;
  place().scrollIntoView({ block: "nearest" });
});
