# bash completion for predict(1)

_predict() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=
  COMPREPLY=()
  case $previous in
    --input-format) words="auto csv lines tsv jsonl" ;;
    --task) words="classify rank tag answer fill-mask" ;;
    --format) words="text tsv jsonl" ;;
    --activation) words="auto softmax sigmoid none" ;;
    --aggregation) words="none simple first average max" ;;
    --dialect) words="huggingface tensorflow" ;;
    --precision) words="f32 bf16 int8" ;;
    --engine) words="auto packed eigen onednn" ;;
    --model | --preprocessor | --input | --out)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --field | --pair-field | --top-k | --max-length | --stride | --max-answer-length | \
      --no-answer-threshold | --targets | --threads | --batch-tokens)
      return
      ;;
    *)
      words="--help --version --model --preprocessor --input --input-format --field --pair-field --task
        --format --out --top-k --quiet --activation --aggregation --max-length --stride
        --max-answer-length --no-answer --no-answer-threshold --no-align-words --targets --dialect
        --precision --engine --threads --batch-tokens"
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _predict predict
