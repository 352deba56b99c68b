"""Mamba against Hugging Face's MambaForCausalLM on a GPU: loss and every gradient.

    python3 test/gpu/huggingface.py config FOLDER                writes a small config.json; compile it where adjc is:
        adjc FOLDER/config.json -o FOLDER/f32.adjm --target=sm_90 --context=512 --shard=96 --batch=2
        adjc FOLDER/config.json -o FOLDER/bf16.adjm --target=sm_90 --dtype=bf16 --context=512 --shard=96 --batch=2
    python3 test/gpu/huggingface.py run FOLDER ADJ_RUN [--device cuda:0]     where torch, transformers and the GPU are

Weights travel through safetensors. f32: relative error of each gradient at most 1e-4 of transformers' own in f32, both judged by transformers in float64 as well.
bf16: against transformers in float64 on the bf16-rounded weights, at most 4e-2 and at most 1.25 times what transformers' own bf16 gradient misses, worst against worst.
"""
import argparse
import json
import pathlib
import subprocess
import sys

CONFIG = {
    "architectures": ["MambaForCausalLM"], "model_type": "mamba", "vocab_size": 1024, "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4,
    "state_size": 16, "conv_kernel": 4, "expand": 2, "time_step_rank": 16, "use_bias": False, "use_conv_bias": True, "hidden_act": "silu",
    "layer_norm_epsilon": 1e-5, "residual_in_fp32": True, "tie_word_embeddings": True, "initializer_range": 0.1,
}
BATCH, TOKENS = 2, 300
BOUNDS = {"f32": 1e-4, "bf16": 4e-2}


def gradients(torch, model, tokens, dtype):
    """Loss and gradients (float64) of transformers' model computing in `dtype`, from the weights it has."""
    import copy
    twin = copy.deepcopy(model).to(dtype)
    twin.train()
    logits = twin(tokens[:, :-1], use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]).to(torch.promote_types(dtype, torch.float32)), tokens[:, 1:].reshape(-1))
    loss.backward()
    return loss.item(), {name: parameter.grad.double() for name, parameter in twin.named_parameters()}


def worst(mine, judge):
    errors = {name: ((mine[name] - judge[name]).norm() / judge[name].norm()).item() for name in judge}
    name = max(errors, key=errors.get)
    return errors[name], name


def run(folder, adj_run, device):
    import numpy
    import torch
    import transformers
    from safetensors.torch import load_file
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    config = transformers.MambaConfig(**json.loads((folder / "config.json").read_text()))
    numpy.random.seed(0)
    tokens = numpy.random.randint(0, CONFIG["vocab_size"], (BATCH, TOKENS + 1)).astype(numpy.int32)
    numpy.save(folder / "tokens.npy", tokens)
    on_gpu = torch.tensor(tokens, dtype=torch.long, device="cuda")
    failed = False
    for dtype in ("f32", "bf16"):
        model = transformers.MambaForCausalLM(config).cuda().float()
        if dtype == "bf16":
            model = model.to(torch.bfloat16).float()  # rounded weights
        model.save_pretrained(folder / dtype)
        judge_loss, judge = gradients(torch, model, on_gpu, torch.float64)
        loss, theirs = gradients(torch, model, on_gpu, torch.float32 if dtype == "f32" else torch.bfloat16)
        done = subprocess.run([adj_run, "grad", folder / f"{dtype}.adjm", "--params", folder / dtype / "model.safetensors", "--tokens", folder / "tokens.npy",
                               "--out", folder / f"{dtype}.safetensors", "--device", device], text=True, capture_output=True)
        if done.returncode:
            print(done.stderr)
            return 1
        line = json.loads(done.stdout.splitlines()[-1])
        ours = {name: value.double().cuda() for name, value in load_file(folder / f"{dtype}.safetensors").items()}
        if set(ours) != set(judge):
            print("parameters differ:", sorted(set(ours) ^ set(judge)))
            return 1
        error, name = worst(ours, judge)
        peer, peer_name = worst(theirs, judge)
        between, between_name = worst(ours, theirs)
        good = (between <= BOUNDS["f32"] if dtype == "f32" else error <= min(BOUNDS["bf16"], 1.25 * peer)) and abs(line["loss"] - judge_loss) <= 1e-2 * judge_loss
        failed |= not good
        print(f"{dtype}: loss {line['loss']:.7f}, float64 {judge_loss:.7f}, transformers {loss:.7f}\n"
              f"  adjc against float64 {error:.2e} ({name})\n  transformers against float64 {peer:.2e} ({peer_name})\n"
              f"  adjc against transformers {between:.2e} ({between_name})\n  {'ok' if good else 'MISSED'}, {line['device']}, torch {torch.__version__}, transformers {transformers.__version__}")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("config", "run"))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("adj_run", nargs="?", type=pathlib.Path)
    parser.add_argument("--device", default="cuda:0")
    options = parser.parse_args()
    if options.step == "config":
        options.folder.mkdir(parents=True, exist_ok=True)
        (options.folder / "config.json").write_text(json.dumps(CONFIG, indent=2))
        return 0
    if not options.adj_run:
        parser.error("run needs ADJ_RUN")
    return run(options.folder.resolve(), options.adj_run.resolve(), options.device)


if __name__ == "__main__":
    sys.exit(main())
