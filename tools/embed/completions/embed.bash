# bash completion for embed(1)

_embed() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=
  COMPREPLY=()
  case $previous in
    --input-format) words="auto csv lines tsv jsonl" ;;
    --on-error) words="stop skip null" ;;
    --output) words="embedding pooled sequence layers logits" ;;
    --pooling) words="auto pooler cls mean max mean_sqrt_len" ;;
    --format) words="text jsonl csv npy f32 fbin" ;;
    --dtype) words="f32 f16" ;;
    --dialect) words="huggingface tensorflow" ;;
    --truncation) words="longest_first only_first only_second round_robin waterfall error" ;;
    --long) words="cut windows refuse" ;;
    --precision) words="f32 bf16 int8 auto" ;;
    --engine) words="auto packed eigen onednn" ;;
    --progress) words="auto bar lines none" ;;
    --encoding) words="CP949 EUC-KR UTF-8 UTF-16 UTF-16LE UTF-16BE" ;;
    --model | --preprocessor | --input | --out | --queries | --vectors | --plot)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --field | --pair-field | --id-field | --shard | --search | --top-k | --duplicates | --communities | \
      --min-community-size | --max-length | --seq-length | --threads | --batch-tokens)
      return
      ;;
    *)
      words="--model --preprocessor --input --input-format --field --pair-field --id-field --encoding
        --on-error --output --pooling --normalize --tokenize --format --dtype --with-text --out --resume
        --shard --merge --manifest --similarity --search --queries --top-k --duplicates --communities
        --min-community-size --vectors --plot
        --dialect --max-length --seq-length --truncation --long --precision --engine --threads
        --batch-tokens --progress --summary --quiet --info --version --help"
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _embed embed
