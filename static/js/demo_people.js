// In a demonstration a press on a person fills in the sign-in form.

for (const person of document.querySelectorAll("[data-email]")) {
  person.addEventListener("click", () => {
    document.getElementById("id_username").value = person.dataset.email;
    document.getElementById("id_password").value = "demo";
    document.querySelector("form button").focus();
  });
}
