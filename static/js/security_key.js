// A form with `data-security-key` asks the browser for a key (to `get` its answer, or to `create` one) and sends that.

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function readable({ publicKey }) {
  const lists = {};
  for (const name of ["allowCredentials", "excludeCredentials"]) {
    if (publicKey[name]) lists[name] = publicKey[name].map((each) => ({ ...each, id: bytes(each.id) }));
  }
  const user = publicKey.user && { user: { ...publicKey.user, id: bytes(publicKey.user.id) } };
  return { publicKey: { ...publicKey, ...lists, ...user, challenge: bytes(publicKey.challenge) } };
}

function told(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  const { id, type, rawId } = credential;
  return { id, type, rawId: text(rawId), response, clientExtensionResults: credential.getClientExtensionResults() };
}

for (const form of document.querySelectorAll("[data-security-key]")) {
  const said = form.querySelector("[data-told]");
  said.textContent = "credentials" in navigator ? "" : "This browser knows no security keys.";
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.textContent = "Your browser asks you for the key now.";
    try {
      const credential = await navigator.credentials[form.dataset.securityKey](readable(JSON.parse(form.dataset.options)));
      form.elements.credential.value = JSON.stringify(told(credential));
      form.submit();
    } catch {
      said.textContent = "No key answered. Press the button to try again.";
    }
  });
}
