// What a person chooses and types, sent as a predict request like any other.

import { kindOf, make, view } from "/page/views.js";

const NAMES = {
  text: "Text",
  text_a: "First text",
  text_b: "Second text",
  question: "Question",
  context: "Text that may hold the answer",
};
const SIGNATURES = {
  classes: "Labels",
  answers: "Answer",
  spans: "Tags",
  neighbours: "Neighbours",
  similarity: "Similarity",
};
const MOST_LINES = 500;
// Those of inputs begin with "input-", whatever a signature calls them.
const LINES = "compared-lines";

const part = (name) => document.getElementById(name);
let models = [];

function chosen() {
  const model = models[part("model").selectedIndex];
  return { model, signature: model.signatures[part("signature").selectedIndex] };
}

// Signatures with the same inputs and outputs are one to a person.
function distinct(signatures) {
  const first = [...signatures].sort((a, b) => (b.name === "serving_default") - (a.name === "serving_default"));
  const seen = new Set();
  return first.filter(({ inputs, outputs }) => {
    const key = JSON.stringify([inputs, outputs]);
    return seen.has(key) ? false : seen.add(key);
  });
}

function showSignatures() {
  const { model } = chosen();
  const kinds = model.signatures.map((signature) => kindOf(signature.outputs));
  part("signature").replaceChildren(...model.signatures.map((signature, place) => {
    const known = SIGNATURES[kinds[place]];
    const alone = kinds.indexOf(kinds[place]) === kinds.lastIndexOf(kinds[place]);
    return make("option", {}, known && alone ? known : signature.name);
  }));
  part("signature-choice").hidden = model.signatures.length < 2;
  part("about").textContent = `${model.name}, version ${model.version}`;
  showInputs();
}

function box(id, label, rows) {
  const area = make("textarea", { id, rows, dir: "auto", spellcheck: "false" });
  return make("label", {}, label, area);
}

function showInputs() {
  const { signature } = chosen();
  const kept = texts();
  const lines = part(LINES)?.value ?? "";
  // A question comes before the text that answers it.
  const names = signature.inputs.includes("question") ? [...signature.inputs].reverse() : signature.inputs;
  const boxes = names.map((name) => box(`input-${name}`, NAMES[name] ?? name, name === "question" ? 2 : 4));
  if (kindOf(signature.outputs) === "neighbours") {
    boxes.push(box(LINES, "Lines to compare with, one text a line", 6));
  }
  part("inputs").replaceChildren(...boxes);
  for (const [name, text] of Object.entries(kept)) {
    const area = part(`input-${name}`);
    if (area) area.value = text;
  }
  if (part(LINES)) part(LINES).value = lines;
  part("answer").hidden = true;
}

function texts() {
  const areas = part("inputs").querySelectorAll("textarea[id^='input-']");
  return Object.fromEntries([...areas].map((area) => [area.id.slice("input-".length), area.value]));
}

function show(...children) {
  part("answer").replaceChildren(...children);
  part("answer").hidden = false;
}

const fault = (message) => show(make("p", { class: "fault", role: "alert" }, message));

async function predict(model, signature, instances) {
  const response = await fetch(`/v1/models/${encodeURIComponent(model.name)}:predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ signature_name: signature.name, instances }),
  });
  const body = await response.text();
  let answer;
  try {
    answer = JSON.parse(body);
  } catch {
    throw new Error(`The answer is no JSON that a browser reads: ${body.slice(0, 500)}`);
  }
  if (!response.ok) throw new Error(answer.error ?? `The server answered ${response.status}.`);
  return answer.predictions;
}

async function ask() {
  const { model, signature } = chosen();
  const inputs = texts();
  const typed = part(LINES)?.value ?? "";
  const embeds = kindOf(signature.outputs) === "neighbours";
  const lines = embeds ? typed.split("\n").filter((line) => line.trim()).slice(0, MOST_LINES) : [];
  const instances = [inputs];
  for (const line of lines) {
    instances.push(Object.fromEntries(signature.inputs.map((name) => [name, line])));
  }
  part("ask").disabled = true;
  try {
    const begun = performance.now();
    const rows = await predict(model, signature, instances);
    const milliseconds = performance.now() - begun;
    const raw = JSON.stringify(embeds && rows.length > 1 ? rows.slice(0, 1) : rows, null, 1);
    show(
      ...view(signature.outputs, rows, inputs, lines),
      make("details", {},
        make("summary", {}, `Answered in ${Math.round(milliseconds)} ms. What the server sent`),
        make("pre", {}, raw.slice(0, 20000))));
  } catch (error) {
    fault(error.message);
  } finally {
    part("ask").disabled = false;
  }
}

// A link may fill the page in. It is behind the #, which browsers keep to themselves.
function fillIn() {
  const given = new URLSearchParams(location.hash.slice(1));
  const place = models.findIndex((model) => model.name === given.get("model"));
  if (place >= 0) part("model").selectedIndex = place;
  showSignatures();
  const own = chosen().model.signatures.findIndex(({ name }) => name === given.get("signature"));
  if (own >= 0) part("signature").selectedIndex = own;
  showInputs();
  for (const name of Object.keys(texts())) {
    part(`input-${name}`).value = given.get(name) ?? "";
  }
  // An input of that name comes first.
  if (part(LINES) && !part("input-lines")) part(LINES).value = given.get("lines") ?? "";
  if (given.has("ask")) ask();
}

async function start() {
  try {
    const response = await fetch("/page/models");
    ({ models } = await response.json());
  } catch (error) {
    fault(`The server did not name its models: ${error.message}`);
    return;
  }
  for (const model of models) model.signatures = distinct(model.signatures);
  models = models.filter((model) => model.signatures.length);
  if (!models.length) {
    part("about").textContent = "No model that takes texts is ready. Reload the page in a moment.";
    return;
  }
  part("model").replaceChildren(...models.map((model) => make("option", {}, model.name)));
  part("model").addEventListener("change", showSignatures);
  part("signature").addEventListener("change", showInputs);
  part("form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  part("form").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) part("form").requestSubmit();
  });
  part("form").hidden = false;
  fillIn();
}

start();
