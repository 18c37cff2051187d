// Sends pictures one by one as soon as they are chosen, and shows each while it is checked.

const LARGEST = 32000000;
const form = document.querySelector("[data-pictures]");
const waiting = document.querySelector("[data-waiting]");
const target = document.getElementById("enrolment");
const queue = [];
let busy = false;

function placeholder(file) {
  const item = document.createElement("li");
  item.className = "shot new";
  const image = document.createElement("img");
  image.className = "picture";
  image.alt = "";
  image.src = URL.createObjectURL(file);
  image.addEventListener("error", () => image.remove()); // HEIC, which few browsers show
  const words = document.createElement("p");
  words.textContent = form.dataset.checking;
  item.append(image, words);
  waiting.append(item);
  return {
    say: (text) => {
      words.textContent = `${file.name}: ${text}`;
      words.className = "error";
    },
    remove: () => {
      URL.revokeObjectURL(image.src);
      item.remove();
    },
  };
}

async function send(file) {
  const body = new FormData();
  body.append("photos", file, file.name);
  const answer = await fetch(form.action, {
    method: "POST",
    body,
    headers: { "HX-Request": "true", Accept: "text/html" },
    credentials: "same-origin",
  });
  const elsewhere = answer.headers.get("HX-Redirect");
  if (elsewhere) {
    location.assign(elsewhere);
    return;
  }
  const text = await answer.text();
  if (!answer.ok) {
    throw new Error(answer.statusText);
  }
  target.innerHTML = text;
  window.htmx.process(target);
}

async function work() {
  if (busy) {
    return;
  }
  busy = true;
  while (queue.length) {
    const { file, shown } = queue.shift();
    try {
      await send(file);
      shown.remove();
    } catch {
      shown.say(form.dataset.failed);
    }
  }
  busy = false;
}

function chosen(input) {
  for (const file of [...input.files].slice(0, Number(form.dataset.most))) {
    const shown = placeholder(file);
    if (file.size > LARGEST) {
      shown.say(form.dataset.tooLarge);
    } else {
      queue.push({ file, shown });
    }
  }
  input.value = "";
  work();
}

if (form) {
  form.classList.add("enhanced");
  form.querySelector("[data-plain]").hidden = true;
  form.querySelectorAll("input[type=file]").forEach((input) => {
    input.addEventListener("change", () => chosen(input));
    chosen(input); // what was chosen before this script was here
  });
}
