"""The networks of the zoo learn: one step of training reaches every parameter that is to learn, and none other."""

from __future__ import annotations

import pytest
import torch

from tests.zoo.small import DISTINCT, random_tensors, small


@pytest.mark.parametrize("name", DISTINCT)
def test_a_step_of_training_reaches_every_parameter_that_learns(name: str) -> None:
    net = small(name)
    torch.manual_seed(0)
    module = net.to_torch().train()
    returned = module(*random_tensors(net))
    outputs = returned if isinstance(returned, tuple) else (returned,)
    assert [tuple(output.shape[1:]) for output in outputs] == list(net.outputs.values())
    loss = sum(((output - torch.rand_like(output)) ** 2).mean() for output in outputs)
    assert isinstance(loss, torch.Tensor)
    loss.backward()
    learned = {key for key, weight in net.graph.weights() if weight.trainable}
    assert {key for key, parameter in module.named_parameters() if parameter.grad is not None} == learned
    assert all(parameter.grad.isfinite().all() for parameter in module.parameters() if parameter.grad is not None)
    torch.optim.SGD(module.parameters(), lr=1e-3).step()
    with torch.no_grad():
        assert all(parameter.isfinite().all() for parameter in module.parameters())
