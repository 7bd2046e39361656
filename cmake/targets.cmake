# The compiler options of every target, and the functions that make a folder a library and its tests.
#
# A folder is a module. The suffix of a file says what the file is part of:
#   x.cpp                 the library um_<folder>
#   x_test.cpp            the program <folder>_test: pure, or with servers that misbehave on purpose
#   x_pgtest.cpp          the program <folder>_pgtest: with a real PostgreSQL server
#   x_redistest.cpp       the program <folder>_redistest: with a real Redis server
#   x_bench.cpp           a program of its own (UM_BENCH)
#   testing/x.cpp         the library um_<folder>_testing: what only tests use
add_library(um_options INTERFACE)
target_include_directories(um_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(um_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Wconversion -Wsign-conversion -Wdouble-promotion -Wformat=2 -Wimplicit-fallthrough
  -fno-omit-frame-pointer -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # In a unity build every anonymous namespace is in the "header" that the batch includes.
  target_compile_options(um_options INTERFACE -Wno-subobject-linkage)
  # The compiler collects its garbage later (256 MiB instead of 128): a tenth less time, 60 MiB more memory.
  target_compile_options(um_options INTERFACE --param=ggc-min-heapsize=262144)
  # g++ 12 reports these inside its own library and inside coroutine frames, where nothing is wrong.
  target_compile_options(um_options INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-array-bounds
    -Wno-stringop-overflow -Wno-stringop-overread -Wno-dangling-pointer -Wno-mismatched-new-delete)
endif()
target_compile_definitions(um_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_BOOST_ARRAY BOOST_ASIO_DISABLE_BOOST_BIND
  UM_VERSION="${PROJECT_VERSION}")
target_link_libraries(um_options INTERFACE Threads::Threads)
# Forty programs of tests: GNU ld takes a tenth of the whole build for them.
target_link_options(um_options INTERFACE -fuse-ld=mold)

set(UM_SANITIZE "" CACHE STRING "asan or tsan")
if(UM_SANITIZE STREQUAL "asan")
  target_compile_options(um_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_link_options(um_options INTERFACE -fsanitize=address,undefined)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 does not align over-aligned locals in the frames that ASan moves to the heap
    # (detect_stack_use_after_return), so the alignment check would report those.
    target_compile_options(um_options INTERFACE -fno-sanitize=alignment)
  elseif(UM_FUZZ)
    target_compile_options(um_options INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(um_options INTERFACE -fsanitize=fuzzer-no-link)
  endif()
elseif(UM_SANITIZE STREQUAL "tsan")
  # TSan does not model atomic_thread_fence; Asio has a switch that avoids it, but for the reference
  # counts of some executors (tools/tsan.supp).
  target_compile_options(um_options INTERFACE -fsanitize=thread)
  target_compile_definitions(um_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  target_link_options(um_options INTERFACE -fsanitize=thread)
endif()

# One precompiled header, made with um_base, serves every target.
function(um_use_precompiled_header target)
  if(NOT target STREQUAL "um_base")
    target_precompile_headers(${target} REUSE_FROM um_base)
  endif()
endfunction()

# um_module(folder [SOURCES generated.cpp …] LINK um_other … [TEST_LINK …] [ALONE x_test.cpp …] [LABELS …])
# The library of src/<folder> and its tests, as the suffixes of its files say. SOURCES: more than the
# folder has. TEST_LINK: for its tests only. ALONE: tests that need a program of their own (they replace
# operator new).
function(um_module folder)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;TEST_LINK;ALONE;LABELS" ${ARGN})
  string(REPLACE "drivers/" "" name ${folder})
  string(REPLACE "/" "_" name ${name})
  set(root ${CMAKE_SOURCE_DIR}/src/${folder})

  file(GLOB sources CONFIGURE_DEPENDS ${root}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_(test|pgtest|redistest|bench)\\.cpp$")
  if(sources OR arg_SOURCES)
    add_library(um_${name} STATIC ${sources} ${arg_SOURCES})
    target_link_libraries(um_${name} PUBLIC um_options ${arg_LINK})
    um_use_precompiled_header(um_${name})
  else()
    add_library(um_${name} INTERFACE)
    target_link_libraries(um_${name} INTERFACE um_options ${arg_LINK})
  endif()
  if(UM_BENCH)
    file(GLOB benches CONFIGURE_DEPENDS ${root}/*_bench.cpp)
    foreach(bench IN LISTS benches)
      um_bench(${bench} um_${name})
    endforeach()
  endif()
  if(NOT UM_TESTS)
    return()
  endif()

  set(link um_${name} ${arg_TEST_LINK} um_test_support)
  file(GLOB testing CONFIGURE_DEPENDS ${root}/testing/*.cpp)
  if(testing)
    add_library(um_${name}_testing STATIC ${testing})
    target_link_libraries(um_${name}_testing PUBLIC um_${name} GTest::gmock)
    um_use_precompiled_header(um_${name}_testing)
    list(PREPEND link um_${name}_testing)
  endif()
  set(alone)
  foreach(test IN LISTS arg_ALONE)
    list(APPEND alone ${root}/${test})
    get_filename_component(program ${test} NAME_WE)
    if(NOT UM_SANITIZE)  # a sanitizer brings its own operator new
      um_test(${program} SOURCES ${root}/${test} LINK ${link} LABELS unit)
    endif()
  endforeach()
  foreach(kind IN ITEMS test pgtest redistest)
    file(GLOB tests CONFIGURE_DEPENDS ${root}/*_${kind}.cpp)
    if(alone)
      list(REMOVE_ITEM tests ${alone})
    endif()
    if(tests)
      set(shards 1)
      if(kind STREQUAL "pgtest")
        set(shards 2)  # these wait for the database most of the time
      endif()
      um_test(${name}_${kind} SOURCES ${tests} LINK ${link} LABELS unit ${arg_LABELS} SHARDS ${shards})
    endif()
  endforeach()
endfunction()

# um_test(name SOURCES … LINK … LABELS … [SHARDS n] [TIMEOUT seconds] [SET_UP name] [FILTER gtest-filter]):
# a program of tests, run by ctest as SHARDS processes. Names that end with _pgtest find a PostgreSQL
# server that ctest starts once for all of them (tests/support/postgres_database.hpp).
set(UM_TEST_POSTGRES ${CMAKE_BINARY_DIR}/test_postgres)  # the file that says where it is
function(um_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;LABELS;SHARDS;TIMEOUT" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gmock_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  um_use_precompiled_header(${name})
  foreach(label IN LISTS arg_LABELS)
    if(NOT TARGET tests_${label})
      add_custom_target(tests_${label})  # builds all programs with this label
    endif()
    add_dependencies(tests_${label} ${name} postgres_fixture)
  endforeach()
  um_run_test(${name} PROGRAM ${name} LABELS ${arg_LABELS} SHARDS ${arg_SHARDS} TIMEOUT ${arg_TIMEOUT})
endfunction()

# um_run_test(test PROGRAM target …): one more way of running a program of tests; see um_test().
function(um_run_test test)
  cmake_parse_arguments(arg "" "PROGRAM" "LABELS;SHARDS;TIMEOUT;FILTER;SET_UP" ${ARGN})
  if(NOT arg_SHARDS)
    set(arg_SHARDS 1)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  set(environment UM_TEST_POSTGRES=${UM_TEST_POSTGRES})
  if(arg_SET_UP)
    list(APPEND environment UM_TEST_SET_UP=${arg_SET_UP})
  endif()
  math(EXPR last "${arg_SHARDS} - 1")
  foreach(shard RANGE ${last})
    set(title ${test})
    if(last GREATER 0)
      math(EXPR number "${shard} + 1")
      set(title ${test}.${number})
    endif()
    add_test(NAME ${title}
      COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/run_tests.py --name ${title}
              --results ${CMAKE_BINARY_DIR}/results $<TARGET_FILE:${arg_PROGRAM}> --gtest_filter=${arg_FILTER})
    set_tests_properties(${title} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}"
      ENVIRONMENT "${environment};GTEST_TOTAL_SHARDS=${arg_SHARDS};GTEST_SHARD_INDEX=${shard}")
    if(arg_PROGRAM MATCHES "_pgtest$" OR arg_SET_UP)
      set_tests_properties(${title} PROPERTIES FIXTURES_REQUIRED um_postgres)
    endif()
  endforeach()
endfunction()

# um_bench(file.cpp um_x …): a measurement as a program of its own.
function(um_bench file)
  get_filename_component(name ${file} NAME_WE)
  add_executable(${name} ${file})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARGN} benchmark::benchmark)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endfunction()
