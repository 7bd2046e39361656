# Sign-in's part of this folder; included by CMakeLists.txt.
set(UM_SIGN_IN_SOURCES
  service_tokens.cpp session_check.cpp sign_in.cpp sign_in_login.cpp)

um_test(sign_in_test
  SOURCES authenticate_test.cpp service_tokens_test.cpp sign_in_test.cpp
  LINK um_service)
if(UM_TESTS)
  target_include_directories(sign_in_test PRIVATE ${CMAKE_SOURCE_DIR}/tests)
endif()
