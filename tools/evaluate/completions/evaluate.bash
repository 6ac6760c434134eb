# bash completion for evaluate(1)

_evaluate() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=
  COMPREPLY=()
  case $previous in
    --task) words="ynat nli sts ner re mrc" ;;
    --score) words="ynat nli sts ner re mrc" ;;
    --precision) words="f32 bf16 int8" ;;
    --pooling) words="auto pooler cls mean max mean_sqrt_len" ;;
    --dialect) words="huggingface tensorflow" ;;
    --format) words="text tsv jsonl" ;;
    --predictions | --input | --model | --preprocessor)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --max-length | --threads)
      return
      ;;
    *)
      words="--help --version --task --predictions --score --input --model --preprocessor --precision
        --pooling --dialect --max-length --threads --no-baseline --format --quiet"
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _evaluate evaluate
