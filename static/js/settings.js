// Where an example reference would lead, while the address of tickets is typed; and examples that a press puts in.
// The server decides what is a good address: this only shows what it would make of it.

const field = document.getElementById("id_ticket_url_template");
const preview = document.querySelector("[data-preview]");
const example = preview.dataset.preview;

function leadsTo(template) {
  const address = template
    .trim()
    .replaceAll("{ticket}", encodeURIComponent(example))
    .replaceAll("{number}", example.replace(/[^0-9]/g, ""));
  return address !== template.trim() && address.startsWith("https://") && URL.canParse(address) ? address : "";
}

function show() {
  const address = leadsTo(field.value);
  if (!field.value.trim()) preview.replaceChildren("References would be plain text.");
  else if (!address) preview.replaceChildren("That makes no link yet.");
  else {
    const link = document.createElement("a");
    Object.assign(link, { className: "ticket", href: address, target: "_blank", rel: "noopener noreferrer" });
    link.textContent = address;
    preview.replaceChildren(`${example} would lead to `, link);
  }
}

field.addEventListener("input", show);
for (const button of document.querySelectorAll("[data-preset]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    field.value = button.dataset.preset;
    show();
    field.focus();
  });
}
