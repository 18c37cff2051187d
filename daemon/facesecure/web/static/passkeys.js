// Asks the browser for a passkey when the button of a form is pressed, and sends the form with what it answers.

function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function textOf(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function withBytes(credentials) {
  return (credentials ?? []).map((one) => ({ ...one, id: bytesOf(one.id) }));
}

async function make(form) {
  const options = JSON.parse(form.dataset.options);
  const { response } = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytesOf(options.challenge),
      user: { ...options.user, id: bytesOf(options.user.id) },
      excludeCredentials: withBytes(options.excludeCredentials),
    },
  });
  return { client_data: response.clientDataJSON, attestation: response.attestationObject };
}

async function sign(form) {
  const asked = new URLSearchParams({ purpose: form.dataset.passkey });
  const answer = await fetch("/passkeys/options", { method: "POST", body: asked, credentials: "same-origin" });
  if (!answer.ok) {
    throw new Error(`the page answered ${answer.status}`);
  }
  const options = await answer.json();
  const { rawId, response } = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytesOf(options.challenge),
      allowCredentials: withBytes(options.allowCredentials),
    },
  });
  return {
    credential: rawId,
    client_data: response.clientDataJSON,
    authenticator_data: response.authenticatorData,
    signature: response.signature,
    user_handle: response.userHandle ?? new ArrayBuffer(0),
  };
}

function fill(form, parts) {
  for (const [name, buffer] of Object.entries(parts)) {
    const field = form.elements.namedItem(name) ?? document.createElement("input");
    Object.assign(field, { type: "hidden", name, value: textOf(buffer) });
    form.append(field);
  }
}

async function answer(form) {
  const trouble = form.querySelector("[role=alert]");
  trouble.hidden = true;
  try {
    fill(form, await (form.dataset.passkey === "add" ? make(form) : sign(form)));
  } catch (error) {
    const known = error.name === "InvalidStateError" && form.dataset.known;
    trouble.textContent = known || form.dataset.failed;
    trouble.hidden = false;
    return;
  }
  form.submit();
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer(form);
    });
  }
  document.querySelectorAll("[data-without-passkeys]").forEach((one) => one.remove());
}
