# bash completion for finetune(1)

_finetune() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=
  COMPREPLY=()
  case $previous in
    --task) words="classify regress rank tag answer mlm embed" ;;
    --dtype) words="f32 bf16" ;;
    --loss) words="auto cosine cosent negatives" ;;
    --schedule) words="linear cosine constant" ;;
    --precision) words="f32 bf16" ;;
    --model | --train | --dev | --out | --order | --log)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --labels | --max-length | --score-max | --epochs | --steps | --batch | --accumulate | --lr | \
      --warmup-steps | --warmup | --spread | --weight-decay | --clip | --dropout | --layer-decay | \
      --lr-mult | --freeze-layers | --seed | --patience | --threads | --save-steps)
      return
      ;;
    *)
      words="--help --version --model --task --train --dev --out --dtype --labels --new-head --max-length
        --score-max --loss --order --epochs --steps --batch --accumulate --lr --warmup-steps
        --warmup --schedule --spread --weight-decay --clip --dropout --layer-decay --lr-mult
        --freeze-embeddings --freeze-layers --seed --patience --recompute --precision --threads --log
        --save-steps --resume --overwrite --quiet"
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _finetune finetune
