// How each kind of answer is shown. Texts become text nodes, never markup.

const MOST_SPANS = 2000;

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const percent = (value) => `${(100 * value).toFixed(1)} %`;

function bars(items, show = percent) {
  const best = Math.max(...items.map((item) => item.value));
  const list = make("ol", { class: "bars" });
  for (const { name, value } of items) {
    const fill = make("div", { class: "fill" });
    fill.style.width = `${Math.max(0, Math.min(1, value)) * 100}%`;
    list.append(
      make("li", { class: value === best ? "best" : "" },
        make("div", { class: "name" },
          make("span", {}, name), make("span", { class: "number" }, show(value))),
        make("div", { class: "track" }, fill)));
  }
  return list;
}

function classes(answer) {
  const items = answer.classes.map((name, place) => ({ name, value: answer.probabilities[place] }));
  items.sort((a, b) => b.value - a.value);
  const chosen = answer.labels === undefined
    ? [answer.label] : answer.labels.filter((label) => label !== "");
  const headline = chosen.length ? chosen.join(", ") : "None of the labels";
  return [make("p", { class: "headline" }, headline), bars(items)];
}

// Places count code points, JavaScript's strings do not.
function highlighted(text, spans) {
  const points = Array.from(text);
  const shown = make("p", { class: "text", dir: "auto" });
  let done = 0;
  for (const { start, end, label, hue } of spans.slice(0, MOST_SPANS)) {
    if (start < done || end <= start) continue;
    shown.append(points.slice(done, start).join(""));
    const mark = make("mark", { class: `hue${hue % 6}` }, points.slice(start, end).join(""));
    if (label) mark.append(make("b", {}, label));
    shown.append(mark);
    done = end;
  }
  shown.append(points.slice(done).join(""));
  return shown;
}

function spans(answer, texts) {
  const entities = answer.entities !== undefined;
  const labels = entities ? answer.entity_labels : answer.tags;
  const starts = entities ? answer.entity_starts : answer.starts;
  const ends = entities ? answer.entity_ends : answer.ends;
  const scores = entities ? answer.entity_scores : answer.scores;
  const found = starts
    .map((start, place) => ({ start, end: ends[place], label: labels[place], score: scores[place] }))
    .filter((span) => span.start >= 0 && span.end > span.start);
  const kinds = [...new Set(found.map((span) => span.label))].sort();
  for (const span of found) span.hue = kinds.indexOf(span.label);
  const text = Object.values(texts)[0];
  const points = Array.from(text);
  const parts = [highlighted(text, found)];
  if (!found.length) parts.push(make("p", { class: "quiet" }, entities ? "No entity found." : "No words."));
  const rows = found.slice(0, 200).map(({ start, end, label, score }) => make("tr", {},
    make("td", {}, points.slice(start, end).join("")), make("td", {}, label), make("td", {}, percent(score))));
  if (rows.length) {
    parts.push(make("table", {},
      make("thead", {}, make("tr", {}, ...["Text", "Label", "Probability"].map((name) => make("th", {}, name)))),
      make("tbody", {}, ...rows)));
  }
  return parts;
}

function answers(answer, texts) {
  const parts = [];
  const none = answer.answer === "";
  parts.push(make("p", { class: "headline", dir: "auto" }, none ? "No answer in this text" : answer.answer));
  if (texts.context !== undefined && !none) {
    parts.push(highlighted(texts.context, [{ start: answer.start, end: answer.end, hue: 0 }]));
  }
  const items = (answer.answers ?? [])
    .map((name, place) => ({ name, value: answer.scores[place] }))
    .filter((item) => item.name !== "");
  if (answer.no_answer_score !== undefined) items.push({ name: "(no answer)", value: answer.no_answer_score });
  items.sort((a, b) => b.value - a.value);
  if (items.length) parts.push(bars(items));
  return parts;
}

export function cosine(a, b) {
  let dot = 0, left = 0, right = 0;
  for (let place = 0; place < a.length; place += 1) {
    dot += a[place] * b[place];
    left += a[place] ** 2;
    right += b[place] ** 2;
  }
  return left && right ? dot / Math.sqrt(left * right) : 0;
}

function neighbours(rows, lines) {
  const size = rows[0].length;
  if (!lines.length) {
    const start = rows[0].slice(0, 8).map((value) => value.toFixed(4)).join(", ");
    return [
      make("p", { class: "headline" }, `A vector of ${size} numbers`),
      make("p", {}, `[${start}${size > 8 ? ", …" : ""}]`),
      make("p", { class: "quiet" }, "Lines in the second box are ranked by how near they are."),
    ];
  }
  const items = lines.map((name, place) => ({ name, value: cosine(rows[0], rows[place + 1]) }));
  items.sort((a, b) => b.value - a.value);
  return [make("h2", {}, "Nearest lines, by cosine"), bars(items, (value) => value.toFixed(3))];
}

function similarity(answer) {
  return [
    make("p", { class: "headline" }, `Similarity ${answer.score.toFixed(3)}`),
    bars([{ name: "Score", value: answer.score }], (value) => value.toFixed(3)),
  ];
}

function anything(answer) {
  const named = answer !== null && typeof answer === "object" && !Array.isArray(answer);
  const rows = Object.entries(named ? answer : { "": answer }).map(([name, value]) => make("tr", {},
    make("th", {}, name), make("td", {}, JSON.stringify(value).slice(0, 2000))));
  return [make("table", {}, make("tbody", {}, ...rows))];
}

// Which view a signature has, by the names of its outputs.
export function kindOf(outputs) {
  const has = (...names) => names.every((name) => outputs.includes(name));
  if (has("probabilities", "classes")) return "classes";
  if (has("answer", "start", "end")) return "answers";
  if (has("tags", "starts", "ends")) return "spans";
  if (has("embedding")) return "neighbours";
  if (has("score")) return "similarity";
  return "anything";
}

// `rows` are the predictions; of several texts only neighbours asks.
export function view(outputs, rows, texts, lines) {
  const named = (row) => (outputs.length === 1 ? { [outputs[0]]: row } : row);
  const kind = kindOf(outputs);
  if (kind === "neighbours") return neighbours(rows.map((row) => named(row).embedding), lines);
  const shown = { classes, answers, spans, similarity, anything }[kind];
  return shown(named(rows[0]), texts);
}
