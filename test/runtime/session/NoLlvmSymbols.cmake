# Fails when a symbol of the given libraries (comma-separated) has to do with LLVM or MLIR, or when a library has no symbols at all.
string(REPLACE "," ";" libraries "${LIBRARIES}")
foreach(library IN LISTS libraries)
  execute_process(COMMAND ${NM} -C ${library} OUTPUT_VARIABLE symbols RESULT_VARIABLE result)
  if(NOT result EQUAL 0 OR NOT symbols MATCHES "adjrt::")
    message(FATAL_ERROR "${library}: nm found no symbol of the runtime")
  endif()
  # The line around it only where there is one: looking for whole lines takes minutes on the long names of code not optimised.
  if(symbols MATCHES "[Ll][Ll][Vv][Mm]|mlir::")
    string(REGEX MATCH "[^\n]*([Ll][Ll][Vv][Mm]|mlir::)[^\n]*" line "${symbols}")
    message(FATAL_ERROR "${library}: ${line}")
  endif()
endforeach()
