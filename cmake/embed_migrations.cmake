# um_migrations(database): the numbered migrations of src/storage/<database>/sql as a C++ file, each with
# its SHA-256; sets <database>_migrations to that file. As a script (cmake -D FOLDER=… -P) it writes the file.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  function(um_migrations database)
    set(folder ${CMAKE_SOURCE_DIR}/src/storage/${database}/sql)
    set(output ${CMAKE_BINARY_DIR}/generated/${database}_migrations.cpp)
    file(GLOB sql CONFIGURE_DEPENDS ${folder}/*.sql)
    add_custom_command(
      OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} -D FOLDER=${folder} -D NAMESPACE=${database}_schema -D OUTPUT=${output}
              -P ${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake
      DEPENDS ${sql} ${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake
      COMMENT "Embedding the ${database} migrations")
    set(${database}_migrations ${output} PARENT_SCOPE)
  endfunction()
  return()
endif()

file(GLOB files RELATIVE "${FOLDER}" "${FOLDER}/[0-9][0-9][0-9][0-9]_*.sql")
list(SORT files)
set(code "#include \"storage/migration.hpp\"\n\nnamespace um::${NAMESPACE} {\n\n")
string(APPEND code "std::span<const Migration> migrations() {\n  static constexpr Migration kAll[] = {\n")
foreach(file IN LISTS files)
  file(READ "${FOLDER}/${file}" sql)
  file(SHA256 "${FOLDER}/${file}" checksum)
  string(SUBSTRING "${file}" 0 4 digits)
  string(REGEX REPLACE "^0+" "" number "${digits}")
  string(REGEX REPLACE "\\.sql$" "" name "${file}")
  string(APPEND code "      {${number}, \"${name}\", \"${checksum}\", R\"sql(${sql})sql\"},\n")
endforeach()
string(APPEND code "  };\n  return kAll;\n}\n\n}  // namespace um::${NAMESPACE}\n")
file(WRITE "${OUTPUT}" "${code}")
