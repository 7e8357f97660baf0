from buddy.cli import main

main()
