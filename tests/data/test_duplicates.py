import random

import pytest

from buddy.data import duplicates
from buddy.data.duplicates import NEAR_DUPLICATE_JACCARD, jaccard, near_neighbours, shingles

WORDS = ("i", "my", "dog", "cat", "was", "so", "sad", "happy", "yesterday", "today", "when", "lost", "friend", "and")


def random_texts(count: int) -> list[str]:
    choose = random.Random(7)
    texts = {" ".join(choose.choices(WORDS, k=choose.randint(4, 12))) for _ in range(count)}
    changed = {
        text.replace(choose.choice(text.split()), choose.choice(WORDS), 1) for text in sorted(texts)[: count // 2]
    }
    return sorted(texts | changed)


def test_hashing_finds_what_comparing_all_pairs_finds():
    texts = random_texts(600)
    places = {text: {"train" if number % 2 else "valid"} for number, text in enumerate(texts)}
    cut = {text: shingles(text) for text in texts}
    expected = {
        (one, place)
        for one in texts
        for other in texts
        if one != other and jaccard(cut[one], cut[other]) >= NEAR_DUPLICATE_JACCARD
        for place in places[other]
    }
    found = near_neighbours(places)
    assert len(expected) > 50
    assert {(text, place) for text, near in found.items() for place in near} == expected
    assert all(
        jaccard(cut[text], cut[other]) >= NEAR_DUPLICATE_JACCARD for text in found for other in found[text].values()
    )


def test_form_letters_do_not_take_for_ever():
    letters = [f"dear customer number {n} your invoice is overdue please pay it now thank you" for n in range(3_000)]
    assert len(near_neighbours({letter: {"train"} for letter in letters})) == len(letters)


@pytest.mark.parametrize("elsewhere", [0, 1])
def test_form_letters_in_one_split_are_not_all_compared_because_another_has_none(monkeypatch, elsewhere):
    compared: list[object] = []

    def compare(one, other):
        compared.append((one, other))
        return jaccard(one, other)

    monkeypatch.setattr(duplicates, "jaccard", compare)
    letters = [f"dear customer number {n} your invoice is overdue please pay it now thank you" for n in range(300)]
    places = {letter: {"train"} for letter in letters} | {"we won": {"valid"}}
    places |= {letter: {"valid"} for letter in letters[:elsewhere]}
    found = near_neighbours(places)
    assert all("train" in found[letter] for letter in letters)
    assert len(compared) < 3 * len(letters)


@pytest.mark.parametrize(
    ("one", "other", "stranger"),
    [
        (
            "我昨天在公园里丢了我的钥匙所以很难过",
            "我昨天在公园里丢了我的钱包所以很难过",
            "今天是我的生日大家都来了我非常高兴",
        ),
        (
            "เมื่อวานฉันทำกุญแจหายในสวนสาธารณะและฉันเสียใจมาก",
            "เมื่อวานฉันทำกระเป๋าหายในสวนสาธารณะและฉันเสียใจมาก",
            "วันนี้เป็นวันเกิดของฉันและทุกคนมาหา",
        ),
        (
            "昨日公園で鍵をなくしてとても悲しいです",
            "昨日公園で鍵をなくしてとても悲しかったです",
            "今日は誕生日でみんなが来てくれました",
        ),
        (
            "我的 iphone 昨天在公园里丢了我很难过",
            "我的iphone昨天在公园里丢了我很难过啊",
            "我的 iphone 是新的大家都很喜欢",
        ),
    ],
)
def test_scripts_without_spaces_are_compared_by_their_characters(one, other, stranger):
    found = near_neighbours({one: {"train"}, other: {"valid"}, stranger: {"valid"}})
    assert found == {one: {"valid": other}, other: {"train": one}}


@pytest.mark.timeout(20)
def test_very_long_and_very_short_texts():
    long = " ".join(f"word{n}" for n in range(20_000))
    found = near_neighbours({long: {"train"}, f"{long} more": {"valid"}, "?": {"train"}, "😀": {"valid"}})
    assert set(found) == {long, f"{long} more"}


def test_nothing_to_compare():
    assert near_neighbours({}) == {}
    assert jaccard(frozenset(), frozenset()) == 0
