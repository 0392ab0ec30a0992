"""Chunks depend on positions in the input alone."""

from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl_bioner.annotate.chunks import chunks
from spacy_mtl_bioner.annotate.formats.base import Line
from spacy_mtl_bioner.annotate.records import Failure
from spacy_mtl_bioner.types import Document, Passage

RECORDS = st.lists(
    st.one_of(
        st.builds(lambda text: Document("id", text), st.text(st.sampled_from("aé\ud800"))),
        st.builds(lambda data: Line("file", 1, data), st.binary(max_size=20)),
        st.builds(Failure, st.text(max_size=3), st.text(max_size=3)),
    ),
    max_size=30,
)


@given(RECORDS, st.integers(1, 5), st.integers(1, 40))
def test_all_records_in_order_and_bounded(records, documents, size):
    made = list(chunks(records, documents, size))
    assert [record for chunk in made for record in chunk.records] == records
    assert [chunk.index for chunk in made] == list(range(len(made)))
    assert all(1 <= len(chunk.records) <= documents for chunk in made)


@given(RECORDS, RECORDS, st.integers(1, 5))
def test_what_follows_changes_no_chunk_before(records, more, documents):
    alone, longer = list(chunks(records, documents)), list(chunks(records + more, documents))
    whole = [chunk for chunk in alone if len(chunk.records) == documents]
    assert longer[: len(whole)] == whole


def test_a_large_document_ends_a_chunk():
    records = [Document(str(i), "x" * (100 if i == 1 else 1)) for i in range(4)]
    assert [len(chunk.records) for chunk in chunks(records, 128, 50)] == [2, 2]


def test_the_checksum_sees_every_change():
    def checksum(*records):
        return next(chunks(records)).checksum

    assert checksum(Document("1", "a")) == checksum(Document("1", "a"))
    assert len({checksum(Document("1", "a")), checksum(Document("2", "a")), checksum(Document("1", "b"))}) == 3
    moved = [Document("1", "ab", passages=[Passage(0, end)]) for end in (1, 2)]
    assert checksum(moved[0]) != checksum(moved[1])
    assert checksum(Line("f", 1, b"a")) != checksum(Line("f", 1, b"b"))


def test_the_checksum_sees_which_document_failed_not_where_its_file_is():
    def checksum(*said):
        return next(chunks([Failure(*said)])).checksum

    assert checksum("1", "[MTL032] in/a: no title") == checksum("1", "[MTL032] /home/me/in/a: no title")
    assert checksum("1", "[MTL032] a") not in (checksum("2", "[MTL032] a"), checksum("1", "[MTL002] a"))


def test_checksums_of_jobs_that_are_under_way_stay():
    records = [Document("1", "aé", passages=[Passage(0, 1, "t")], meta={"k": [1]}), Line("f", 1, b"{}")]
    assert [chunk.checksum for chunk in chunks(records, 1)] == [3517345015, 2745614147]
