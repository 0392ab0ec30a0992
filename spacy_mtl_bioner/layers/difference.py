"""How much two encoders see the same: the difference loss of shared and private features."""

import torch


def difference_loss(
    shared: torch.Tensor, private: torch.Tensor, mask: torch.Tensor, squared: bool = True
) -> torch.Tensor:
    """(f32[B,T,H], f32[B,T,G], bool[B,T]) -> f32[B]: the squared Frobenius norm of S^T P, summed over a sentence's
    tokens, which is zero where the two are orthogonal (Bousmalis et al. 2016; Wang Xi et al. 2019).

    squared: False takes the norm itself.
    """
    overlap = torch.bmm(shared.masked_fill(~mask[:, :, None], 0.0).transpose(1, 2), private).flatten(1)
    return overlap.square().sum(1) if squared else torch.linalg.vector_norm(overlap, dim=1)
