set(UM_SIGN_IN_SOURCES
  service_tokens.cpp session_check.cpp sign_in.cpp sign_in_login.cpp)
