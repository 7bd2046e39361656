# What every target of the project is compiled with, and how a module is declared.
add_library(um_options INTERFACE)
target_include_directories(um_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(um_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Wconversion -Wsign-conversion -Wdouble-promotion -Wformat=2 -Wimplicit-fallthrough
  -fno-omit-frame-pointer -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside its own library and inside coroutine frames, where nothing is wrong.
  target_compile_options(um_options INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-array-bounds
    -Wno-stringop-overflow -Wno-stringop-overread -Wno-dangling-pointer -Wno-mismatched-new-delete)
endif()
target_compile_definitions(um_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_BOOST_ARRAY BOOST_ASIO_DISABLE_BOOST_BIND
  UM_VERSION="${PROJECT_VERSION}")
target_link_libraries(um_options INTERFACE Threads::Threads)

set(UM_SANITIZE "" CACHE STRING "asan, tsan or fuzz")
if(UM_SANITIZE STREQUAL "asan")
  # g++ 12 does not align over-aligned locals in the frames that ASan moves to the heap
  # (detect_stack_use_after_return), so the alignment check would report those.
  target_compile_options(um_options INTERFACE -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all)
  target_link_options(um_options INTERFACE -fsanitize=address,undefined)
elseif(UM_SANITIZE STREQUAL "tsan")
  # TSan does not model atomic_thread_fence; Asio has a switch that avoids it, but for the reference
  # counts of some executors (tools/tsan.supp).
  target_compile_options(um_options INTERFACE -fsanitize=thread -Wno-tsan)
  target_compile_definitions(um_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  target_link_options(um_options INTERFACE -fsanitize=thread)
elseif(UM_SANITIZE STREQUAL "fuzz")
  target_compile_options(um_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  target_link_options(um_options INTERFACE -fsanitize=address,undefined)
endif()

# um_module(um_name SOURCES a.cpp … LINK um_other …): a static library, or an interface library
# when it has headers only.
function(um_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC um_options ${arg_LINK})
    if(NOT name STREQUAL "um_base" AND NOT UM_SANITIZE STREQUAL "fuzz")
      target_precompile_headers(${name} REUSE_FROM um_base)
    endif()
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE um_options ${arg_LINK})
  endif()
endfunction()

# um_test(name SOURCES a_test.cpp … LINK um_x …): one test binary; every TEST in it is a ctest of its
# own, labelled with every LABEL (default "unit"), with more PROPERTIES where they are given.
function(um_test name)
  if(NOT UM_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "TIMEOUT" "LABEL;SOURCES;LINK;PROPERTIES" ${ARGN})
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gmock_main)
  if(NOT UM_SANITIZE STREQUAL "fuzz")
    target_precompile_headers(${name} REUSE_FROM um_base)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 TEST_LIST ${name}_tests
    PROPERTIES TIMEOUT ${arg_TIMEOUT} ${arg_PROPERTIES})
  um_test_lists(${name}_tests LABELS ${arg_LABEL})
endfunction()

# um_test_lists(tests LABELS … ENVIRONMENT …): properties whose values are lists, for the tests that
# gtest_discover_tests(TEST_LIST tests) finds. It takes lists in its own PROPERTIES apart and then
# pairs names and values wrongly, without a word.
function(um_test_lists tests)
  cmake_parse_arguments(arg "" "" "LABELS;ENVIRONMENT" ${ARGN})
  set(properties)
  foreach(property IN ITEMS LABELS ENVIRONMENT)
    if(arg_${property})
      string(APPEND properties " ${property} [==[${arg_${property}}]==]")
    endif()
  endforeach()
  set(file ${CMAKE_CURRENT_BINARY_DIR}/${tests}_lists.cmake)
  file(WRITE ${file}.new "foreach(test IN LISTS ${tests})
  set_tests_properties(\${test} PROPERTIES${properties})
endforeach()
")
  configure_file(${file}.new ${file} COPYONLY)
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${file})
endfunction()

# um_pgtest(name SOURCES a_pgtest.cpp … LINK um_x …): a um_test, labelled "pg", whose cases find a
# PostgreSQL server that ctest starts once for all of them (tests/support/postgres_database.hpp).
set(UM_TEST_POSTGRES ${CMAKE_BINARY_DIR}/test_postgres)  # the file that says where it is
function(um_pgtest name)
  if(NOT UM_TESTS)
    return()
  endif()
  um_test(${name} LABEL pg ${ARGN}
    PROPERTIES FIXTURES_REQUIRED um_postgres ENVIRONMENT UM_TEST_POSTGRES=${UM_TEST_POSTGRES})
  target_link_libraries(${name} PRIVATE um_test_postgres)
endfunction()
