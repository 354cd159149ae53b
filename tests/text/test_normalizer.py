import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text as tf_text
from tokenizers.normalizers import BertNormalizer

from tf_bertembed.text.normalizer import Rules, hide_chinese, normalize_character, normalizer_model


def kernel(rules):
    model = np.frombuffer(normalizer_model(rules), np.uint8)
    return tf_text.FastBertNormalizer(model_buffer=tf.constant(model))


FLAGS = [Rules(), Rules(False, False), Rules(True, False, False), Rules(False, True)]


@pytest.mark.parametrize("rules", FLAGS)
def test_the_kernel_follows_the_rules_for_every_character(rules):
    blocks = [range(0xD800), range(0xE000, 0x32000), range(0xE0000, 0xE0200)]
    characters = [chr(codepoint) for block in blocks for codepoint in block]
    normalized = kernel(rules).normalize(tf.constant(characters)).numpy()
    expected = [normalize_character(character, rules) for character in characters]
    if not rules.split_chinese:
        expected = [hide_chinese(value) for value in expected]
    assert [value.decode() for value in normalized] == expected


@pytest.mark.parametrize("rules", FLAGS)
def test_the_rules_are_those_of_tokenizers(rules):
    """`tokenizers` 0.22 on everything assigned before Unicode 9, whose tables it has."""
    reference = BertNormalizer(
        lowercase=rules.lowercase, strip_accents=rules.strip_accents, handle_chinese_chars=False
    )
    blocks = [range(1, 0x600), range(0x2000, 0x3100), range(0xAC00, 0xAD00), range(0xFB00, 0x10000)]
    for character in (chr(c) for block in blocks for c in block if not 0xD800 <= c <= 0xDFFF):
        expected = reference.normalize_str(character)
        if expected.strip():
            assert normalize_character(character, rules) == expected, f"U+{ord(character):04X}"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Café", "cafe"),
        ("cafe\u0301", "cafe"),
        ("，ＡＢ１", "，ａｂ１"),
        ("ﬁ½™´", "ﬁ½™´"),
        ("κύριος ΣΑΣ", "κυριος σασ"),
        ("İstanbul ẞ", "istanbul ß"),
        ("\ufeffa\u200bb\x00c\ufffdd\ue000", "abcd"),
        ("❤\ufe0f 👩\u200d🔬", "❤ 👩🔬"),
        ("한", "\u1112\u1161\u11ab"),
    ],
)
def test_lower_case(given, expected):
    assert kernel(Rules()).normalize([given]).numpy()[0].decode() == expected


def test_cased_text_loses_control_characters_only():
    given = "Café cafe\u0301 Ａ，한\u200b\x12s"
    assert (
        kernel(Rules(False, False)).normalize([given]).numpy()[0].decode()
        == "Café cafe\u0301 Ａ，한s"
    )
