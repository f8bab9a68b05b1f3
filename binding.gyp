{
  # The shipped build. Development builds (sanitizers, unit tests, fuzzers) are native/CMakeLists.txt.
  'targets': [
    {
      'target_name': 'millrace',
      'sources': ['<!@(node scripts/list-sources.mjs)'],
      'include_dirs': ['native', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_DEPRECATED', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
        # A worker that is being ended can be thrown nothing any more: that must not end the process.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'cflags_cc': ['-std=c++20', '-fno-exceptions', '-fno-rtti', '-Wall', '-Wextra'],
      'cflags': ['-fvisibility=hidden', '-ffunction-sections', '-fdata-sections'],
      # An assertion is for development builds: in a user's process it would be an abort.
      'configurations': {'Release': {'defines': ['NDEBUG']}},
      'conditions': [
        ['OS=="linux"', {
          'ldflags': ['-static-libstdc++', '-static-libgcc', '-Wl,--gc-sections', '-Wl,--version-script=../native/exports.map'],
          'configurations': {'Release': {'ldflags': ['-Wl,--strip-all']}},
        }],
        ['OS=="mac"', {
          'xcode_settings': {
            'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
            'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
            'GCC_ENABLE_CPP_EXCEPTIONS': 'NO',
            'GCC_ENABLE_CPP_RTTI': 'NO',
            'MACOSX_DEPLOYMENT_TARGET': '11.0',
          },
        }],
        ['OS=="win"', {
          'msvs_settings': {'VCCLCompilerTool': {'AdditionalOptions': ['/std:c++20'], 'RuntimeTypeInfo': 'false'}},
        }],
      ],
    },
  ],
}
