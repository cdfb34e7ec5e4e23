import torch

from nitrogen.data.augment import AugmentConfig, augment

NOTHING = AugmentConfig(brightness=0, contrast=0, saturation=0, hue=0, rotation_degrees=0, crop=0)


def frames():
    return torch.randint(0, 256, (4, 32, 32, 3), generator=torch.Generator().manual_seed(0)).to(
        torch.uint8
    )


def changed(**ranges):
    config = AugmentConfig(**(vars(NOTHING) | ranges))
    return augment(frames(), config, torch.Generator().manual_seed(1))


def test_identity_changes_nothing():
    assert NOTHING.is_identity
    assert torch.equal(changed(), frames())


def test_colour_keeps_shape_and_place():
    plain = torch.full((2, 16, 16, 3), 100, dtype=torch.uint8)
    plain[:, 4:8, 4:8] = 200

    out = augment(
        plain, AugmentConfig(rotation_degrees=0, crop=0), torch.Generator().manual_seed(0)
    )

    assert out.dtype == torch.uint8
    for picture in out:
        assert len(picture.reshape(-1, 3).unique(dim=0)) == 2
        assert (picture[4:8, 4:8].float().mean() > picture[:4].float().mean()).item()


def test_hue_alone_keeps_greys_grey():
    grey = torch.full((3, 8, 8, 3), 90, dtype=torch.uint8)

    out = augment(
        grey, AugmentConfig(**(vars(NOTHING) | {"hue": 0.2})), torch.Generator().manual_seed(0)
    )

    assert (out.int() - 90).abs().max() <= 1


def test_rotation_and_crop_move_pixels_a_little():
    big = torch.zeros(8, 64, 64, 3, dtype=torch.uint8)
    big[:, 30:34, 30:34] = 255

    out = augment(
        big,
        AugmentConfig(**(vars(NOTHING) | {"rotation_degrees": 5, "crop": 0.06})),
        torch.Generator().manual_seed(3),
    ).float()

    assert not torch.equal(out, big.float())
    place = out.mean(dim=3) / out.mean(dim=(1, 2, 3), keepdim=True)[..., 0]
    rows = (place.mean(2) * torch.arange(64)).mean(1)
    assert (rows - 31.5).abs().max() < 4


def test_same_generator_same_result():
    config = AugmentConfig()
    one, two = (augment(frames(), config, torch.Generator().manual_seed(7)) for _ in range(2))

    assert torch.equal(one, two)
    assert not torch.equal(one, augment(frames(), config, torch.Generator().manual_seed(8)))
