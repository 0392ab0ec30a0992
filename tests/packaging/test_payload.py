import io
import json
import pickle
import zipfile

import numpy
import pytest
import srsly
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from spacy_mtl_bioner.packaging.payload import holds_pickle, pickled_members


def torch_bytes(zipped):
    buffer = io.BytesIO()
    torch.save({"weight": torch.ones(3)}, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "inside msgpack"])
@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps({"a": [1, 2]}, protocol=4),
        pickle.dumps(list(range(9)), protocol=5),
        torch_bytes(True),
        torch_bytes(False),
    ],
    ids=["protocol 4", "protocol 5", "torch zip", "torch legacy"],
)
def test_pickles_are_found(data, inside):
    assert holds_pickle(srsly.msgpack_dumps({"shims": [data], "attrs": {}}) if inside else data)


def test_an_array_of_objects_is_found():
    plain, objects = io.BytesIO(), io.BytesIO()
    numpy.save(plain, numpy.zeros(3))
    numpy.save(objects, numpy.asarray([{}, 1], dtype=object), allow_pickle=True)
    header = objects.getvalue().partition(b"\n")[0]
    assert holds_pickle(header + b"\n" + pickle.dumps([{}, 1], protocol=2))
    assert not holds_pickle(plain.getvalue())


def test_old_protocols_are_found_where_they_are_the_file():
    assert holds_pickle(pickle.dumps({"a": 1}, protocol=2))


@pytest.mark.parametrize(
    "data",
    [
        save({"weight": numpy.random.default_rng(0).normal(size=(500, 300)).astype("float32")}),
        json.dumps({"a": 1}).encode(),
        srsly.msgpack_dumps({}),
        srsly.msgpack_dumps({"\x80": b"\x80\x04"}),
        b"",
    ],
    ids=["safetensors", "json", "empty msgpack", "msgpack", "nothing"],
)
def test_other_data_are_not_accused(data):
    assert not holds_pickle(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_judged_without_an_error(data):
    for given_data in (data, b"\x80\x04" + data):
        assert holds_pickle(given_data) in (True, False)
    assert holds_pickle(data + pickle.dumps([data], protocol=4))


def test_members_of_a_wheel_and_of_a_folder(tmp_path):
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("a/meta.json", "{}")
        archive.writestr("a/model", pickle.dumps([1], protocol=4))
        archive.writestr("a/weights.PT", b"any")
    assert pickled_members(wheel) == ["a/model", "a/weights.PT"]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "folder")
    assert pickled_members(tmp_path / "folder") == ["a/model", "a/weights.PT"]
