"""Hugging Face's side: its BERT classes in PyTorch, a plain loop as in its examples."""

import random
import time

import numpy as np
import torch
import transformers

from side_by_side.worker import serve

IGNORED = -100
DECAYED = 0.01
BEST, LONGEST_ANSWER = 20, 30


def _optimizer(model, rate):
    kept = ("bias", "LayerNorm.weight")
    groups = [
        {
            "params": [p for n, p in model.named_parameters() if n.endswith(kept) == plain],
            "weight_decay": 0.0 if plain else DECAYED,
        }
        for plain in (True, False)
    ]
    return torch.optim.AdamW(groups, lr=rate)


def _train(model, loss_of, count, setting, seed):
    """Train `model`; `loss_of(places)` answers the loss of a batch. Answer wall and CPU seconds."""
    model.train()
    start, cpu = time.perf_counter(), time.process_time()
    steps = setting["epochs"] * -(-count // setting["batch_size"])
    optimizer = _optimizer(model, setting["learning_rate"])
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, int(0.1 * steps), steps)
    draw = random.Random(seed)
    for _ in range(setting["epochs"]):
        order = draw.sample(range(count), count)
        for begin in range(0, count, setting["batch_size"]):
            loss = loss_of(order[begin : begin + setting["batch_size"]])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    return time.perf_counter() - start, time.process_time() - cpu


def _batches(count, size=64):
    return [list(range(begin, min(begin + size, count))) for begin in range(0, count, size)]


class _Cell:
    """What all kinds share: the tokenizer, and texts to padded tensors."""

    def __init__(self, request):
        self.setting, self.labels = request["setting"], request["labels"]
        self.train, self.test = request["train"], request["test"]
        self.weights, self.seed = request["weights"], request["seed"]
        torch.manual_seed(self.seed)
        self.tokenizer = transformers.BertTokenizerFast.from_pretrained(self.weights)

    def encode(self, *columns, **more):
        return self.tokenizer(
            *columns,
            truncation=True,
            max_length=self.setting["sequence_length"],
            padding="longest",
            return_tensors="pt",
            **more,
        )

    def load(self, name, **more):
        return getattr(transformers, name).from_pretrained(self.weights, **more)


class Classification(_Cell):
    """`BertForSequenceClassification`."""

    def run(self):
        model = self.load("BertForSequenceClassification", num_labels=len(self.labels))
        ids = [self.labels.index(row[-1]) for row in self.train]

        def loss_of(places):
            texts = [self.train[place][0] for place in places]
            targets = torch.tensor([ids[place] for place in places])
            return model(**self.encode(texts), labels=targets).loss

        spent = _train(model, loss_of, len(self.train), self.setting, self.seed)
        model.eval()
        found = []
        with torch.no_grad():
            for places in _batches(len(self.test)):
                logits = model(**self.encode([self.test[place][0] for place in places])).logits
                found += [self.labels[index] for index in logits.argmax(-1).tolist()]
        return found, spent


class Tagging(_Cell):
    """`BertForTokenClassification`; the first piece of a word carries its tag."""

    def features(self, rows):
        encoded = self.encode([row[0] for row in rows], is_split_into_words=True)
        firsts = []
        for number in range(len(rows)):
            places = {}
            for place, word in enumerate(encoded.word_ids(number)):
                if word is not None:
                    places.setdefault(word, place)
            firsts.append(places)
        return encoded, firsts

    def run(self):
        model = self.load("BertForTokenClassification", num_labels=len(self.labels))

        def loss_of(places):
            rows = [self.train[place] for place in places]
            encoded, firsts = self.features(rows)
            targets = torch.full(encoded["input_ids"].shape, IGNORED)
            for number, ((_, tags), places_of) in enumerate(zip(rows, firsts, strict=True)):
                for word, place in places_of.items():
                    targets[number, place] = self.labels.index(tags[word])
            return model(**encoded, labels=targets).loss

        spent = _train(model, loss_of, len(self.train), self.setting, self.seed)
        model.eval()
        found = []
        with torch.no_grad():
            for places in _batches(len(self.test)):
                rows = [self.test[place] for place in places]
                encoded, firsts = self.features(rows)
                best = model(**encoded).logits.argmax(-1).tolist()
                for (words, _), places_of, ids in zip(rows, firsts, best, strict=True):
                    # A word beyond the length has no piece; it is outside, or the commonest tag.
                    cut = "O" if "O" in self.labels else self.labels[0]
                    found.append(
                        [
                            self.labels[ids[places_of[word]]] if word in places_of else cut
                            for word in range(len(words))
                        ]
                    )
        return found, spent


class Similarity(_Cell):
    """`BertModel`, the mean of its pieces, and the squared error of the cosine."""

    def run(self):
        model = self.load("BertModel")

        def vectors(texts):
            encoded = self.encode(texts)
            mask = encoded["attention_mask"].unsqueeze(-1).float()
            hidden = model(**encoded).last_hidden_state
            return (hidden * mask).sum(1) / mask.sum(1)

        def cosines(rows):
            # Both texts of a pair in one batch, as the other side does it.
            both = vectors([row[0] for row in rows] + [row[1] for row in rows])
            return torch.cosine_similarity(*both.chunk(2))

        def loss_of(places):
            rows = [self.train[place] for place in places]
            targets = torch.tensor([row[-1] for row in rows])
            return torch.nn.functional.mse_loss(cosines(rows), targets)

        spent = _train(model, loss_of, len(self.train), self.setting, self.seed)
        model.eval()
        found = []
        with torch.no_grad():
            for places in _batches(len(self.test)):
                found += cosines([self.test[place] for place in places]).tolist()
        return found, spent


class QuestionAnswering(_Cell):
    """`BertForQuestionAnswering` over windows, as in the example run_qa.py."""

    STRIDE = 64

    def windows(self, rows):
        questions, contexts = [row[1] for row in rows], [row[2] for row in rows]
        encoded = self.tokenizer(
            questions,
            contexts,
            truncation="only_second",
            max_length=self.setting["sequence_length"],
            stride=self.STRIDE,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        windows = []
        for number, row in enumerate(encoded["overflow_to_sample_mapping"]):
            features = {
                name: encoded[name][number]
                for name in ("input_ids", "token_type_ids", "attention_mask")
            }
            offsets = [
                span if sequence == 1 else None
                for span, sequence in zip(
                    encoded["offset_mapping"][number], encoded.sequence_ids(number), strict=True
                )
            ]
            windows.append((row, features, offsets))
        return windows

    def padded(self, windows):
        return self.tokenizer.pad([window[1] for window in windows], return_tensors="pt")

    @staticmethod
    def span(offsets, answer):
        """First and last piece of an answer; the [CLS] at 0 where the window lacks it."""
        text, begin = answer
        end = begin + len(text)
        first = [p for p, span in enumerate(offsets) if span and span[0] <= begin < span[1]]
        last = [p for p, span in enumerate(offsets) if span and span[0] < end <= span[1]]
        return (first[0], last[-1]) if first and last else (0, 0)

    def run(self):
        model = self.load("BertForQuestionAnswering")
        start = time.perf_counter()
        windows = self.windows(self.train)
        spans = [self.span(window[2], self.train[window[0]][3][0]) for window in windows]
        cut = time.perf_counter() - start

        def loss_of(places):
            starts, ends = zip(*(spans[place] for place in places), strict=True)
            return model(
                **self.padded([windows[place] for place in places]),
                start_positions=torch.tensor(starts),
                end_positions=torch.tensor(ends),
            ).loss

        wall, cpu = _train(model, loss_of, len(windows), self.setting, self.seed)
        return self.answers(model), (wall + cut, cpu + cut)

    def answers(self, model):
        model.eval()
        windows = self.windows(self.test)
        best = [(-np.inf, "")] * len(self.test)
        with torch.no_grad():
            for places in _batches(len(windows), 16):
                outputs = model(**self.padded([windows[place] for place in places]))
                starts, ends = outputs.start_logits.numpy(), outputs.end_logits.numpy()
                for number, place in enumerate(places):
                    row, _, offsets = windows[place]
                    found = self.best(starts[number], ends[number], offsets, self.test[row][2])
                    best[row] = max(best[row], found)
        return [answer for _, answer in best]

    @staticmethod
    def best(starts, ends, offsets, context):
        """The best span of a window: its score and its text."""
        found = (-np.inf, "")
        places = len(offsets)
        for first in np.argsort(-starts[:places])[:BEST]:
            for last in np.argsort(-ends[:places])[:BEST]:
                inside = offsets[first] and offsets[last]
                if inside and first <= last < first + LONGEST_ANSWER:
                    score = float(starts[first] + ends[last])
                    text = context[offsets[first][0] : offsets[last][1]]
                    found = max(found, (score, text))
        return found


KINDS = {
    "classification": Classification,
    "tagging": Tagging,
    "similarity": Similarity,
    "qa": QuestionAnswering,
}

if __name__ == "__main__":
    serve(lambda request: KINDS[request["setting"]["kind"]](request).run())
