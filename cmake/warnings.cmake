# The warnings this project holds itself to; never exported to those who link it.
function(klue_set_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor
    $<$<BOOL:${KLUE_WERROR}>:-Werror>)
endfunction()
