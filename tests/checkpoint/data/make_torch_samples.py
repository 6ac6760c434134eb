#!/usr/bin/env python3
"""Write the samples beside this file with the real torch.save (made with PyTorch 1.13.0).

Every tensor is a window on arange(24), so that a reader can tell each element's expected value.
"""
import collections
import os
import sys

import torch

directory = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(__file__)
base = torch.arange(24, dtype=torch.float32)
state = collections.OrderedDict()
state["dense"] = base.reshape(4, 6)
state["tied"] = state["dense"]
state["transposed"] = base.reshape(4, 6).t()
state["permuted"] = base.reshape(2, 3, 4).permute(2, 0, 1)
state["sliced"] = base.reshape(4, 6)[1:3, 2:5]
state["every_other"] = base[1::2]
state["repeated"] = base[:4].expand(3, -1)
state["scalar"] = base[7]
state["empty"] = torch.zeros(0, 3)
state["parameter"] = torch.nn.Parameter(base.reshape(4, 6).clone())
state["half_transposed"] = base.reshape(4, 6).half().t()
state["bfloat16"] = base.bfloat16()
state["double"] = base.double()
state["position_ids"] = torch.arange(24).expand((1, -1))
state["flags"] = torch.tensor([True, False])
state._metadata = collections.OrderedDict([("", {"version": 1})])
torch.save(state, os.path.join(directory, "torch_zip.bin"))
torch.save(state, os.path.join(directory, "torch_legacy.bin"),
           _use_new_zipfile_serialization=False)
# What must be refused, written by those who would: a pickle that runs a command when it is loaded.
class Exploit:
    def __reduce__(self):
        return (os.system, ("touch /tmp/klue-pickle-was-run",))
torch.save({"weight": base, "x": Exploit()}, os.path.join(directory, "torch_exploit.bin"))
# A training framework's checkpoint, and a whole module instead of its weights.
torch.save({"epoch": 3, "state_dict": state}, os.path.join(directory, "torch_nested.bin"))
torch.save(torch.nn.Linear(2, 2), os.path.join(directory, "torch_module.bin"))
