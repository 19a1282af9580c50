"""An own encoder is tried on a few images of the study's shape, and each fault is one line with the expected form."""

import pytest
import torch

from tests.trainables.encoders import own_encoders
from trainables.encoders.encoders import check_encoder


def path(name: str) -> str:
    return f"{own_encoders.__name__}:{name}"


@pytest.mark.parametrize("name", ["Right", "Normalised"])
@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 5)])
def test_a_right_encoder_passes_and_leaves_random_state(name: str, channels: int, size: int) -> None:
    torch.manual_seed(3)
    state = torch.get_rng_state()
    check_encoder(path(name), channels=channels, size=size)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("NoSize", "TypeError: NoSize.__init__() got an unexpected keyword argument 'size'"),
        ("ThreeChannels", "RuntimeError: "),
        ("FeatureMap", "output of shape (2, 5, 1) for 2 images in evaluation; allowed is (2, h_dim)"),
        ("OneRow", "output of shape (1, 5) for 2 images in evaluation; allowed is (2, h_dim)"),
        ("Pair", "output of type tuple in training"),
        ("NotANumber", "output that is not finite in evaluation"),
        ("SteepRoot", "a gradient that is not finite"),
        ("Whole", "output of int64 in evaluation; allowed is float32"),
        ("Half", "output of float16 in evaluation; allowed is float32"),
        ("Double", "output of float64 in evaluation; allowed is float32"),
        (
            "shared",
            "two calls give networks that share the parameter 'linear.weight', so trained weights would pass",
        ),
        (
            "shared_part",
            "two calls give networks that share the parameter '0.linear.weight', so trained weights",
        ),
        ("Lazy", "Attempted to use an uninitialized parameter in <method 'dim' of"),
        ("RaisesBase", "Stop: no way"),
        ("Detached", "the output has no gradient"),
        ("Rounded", "no gradient reaches a parameter"),
        ("Frozen", "no parameter to train"),
        ("Exits", "SystemExit: no licence"),
        ("function", "got an object of type str"),
        ("NOT_CALLABLE", "TypeError: 'int' object is not callable"),
    ],
)
def test_a_fault_is_one_line(name: str, fault: str) -> None:
    with pytest.raises(ValueError, match=r"must be called as MyNet\(channels=..., size=...\)") as caught:
        check_encoder(path(name), channels=1, size=8)
    said = str(caught.value)
    assert said.startswith(f"encoder: {path(name)}: with channels=1, size=8: {fault}")
    assert said.endswith("maps images (M, channels, size, size) to (M, h_dim)")
    assert "\n" not in said


def test_an_encoder_that_passed_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    check_encoder(path("Right"), channels=3, size=6)
    monkeypatch.delattr(own_encoders.Right, "forward")
    check_encoder(path("Right"), channels=3, size=6)
    with pytest.raises(ValueError, match="NotImplementedError"):
        check_encoder(path("Right"), channels=3, size=7)


def test_images_have_the_memory_format_of_a_trial() -> None:
    with pytest.raises(ValueError, match=r"RuntimeError: view size is not compatible .* Use \.reshape"):
        check_encoder(path("View"), channels=3, size=8)
